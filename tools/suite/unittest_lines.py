"""Runs a directory of unittest files and prints one line a test: `ok NAME`, `FAILED NAME` with its traceback, `skipped NAME (why)`."""
import sys
import unittest


class Lines(unittest.TestResult):
    def _name(self, test) -> str:
        return test.id().replace(" ", "_")

    def addSuccess(self, test):
        super().addSuccess(test)
        print(f"ok {self._name(test)}", flush=True)

    def addError(self, test, err):
        super().addError(test, err)
        print(f"FAILED {self._name(test)}\n{self.errors[-1][1]}", flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        print(f"FAILED {self._name(test)}\n{self.failures[-1][1]}", flush=True)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            print(f"FAILED {self._name(subtest)}\n{(self.failures + self.errors)[-1][1]}", flush=True)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print(f"skipped {self._name(test)} ({reason})", flush=True)


def main() -> int:
    directory, pattern = sys.argv[1:3]
    suite = unittest.defaultTestLoader.discover(directory, pattern=pattern, top_level_dir=directory)
    result = Lines()
    suite.run(result)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
