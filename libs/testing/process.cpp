#include "libs/testing/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "libs/base/check.h"
#include "libs/os/random.h"

namespace voltwell::testing {
namespace {

// Below 32768, where Linux begins to take ports for clients; apart from the default ports of the suite.
constexpr int kFirstPort = 20000;
constexpr int kLastPort = 31999;

bool CanBind(int port) {
  const int socket_number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  VW_CHECK(socket_number >= 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const bool bound = bind(socket_number, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(socket_number);
  return bound;
}

}  // namespace

int FreePort() {
  os::SystemRandom random;
  for (int tries = 0; tries < 1000; ++tries) {
    const int port = kFirstPort + static_cast<int>(os::Fraction(random) * (kLastPort - kFirstPort));
    if (CanBind(port)) return port;
  }
  VW_CHECK(false && "no free port");
  return 0;
}

TempDirectory::TempDirectory(const std::string& name) {
  path_ = "/tmp/voltwell-" + name + "-XXXXXX";
  VW_CHECK(mkdtemp(path_.data()) != nullptr);
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Process::Process(std::vector<std::string> command, ProcessOptions options) {
  pid_ = fork();
  VW_CHECK(pid_ >= 0);
  if (pid_ == 0) Execute(command, options);
}

// In the child; never returns.
void Process::Execute(const std::vector<std::string>& command, const ProcessOptions& options) {
  if (!options.user.empty()) {
    const passwd* const user = getpwnam(options.user.c_str());
    if (user == nullptr || initgroups(user->pw_name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
        setuid(user->pw_uid) != 0) {
      _exit(126);
    }
  }
  // After setuid, which clears it: the server must not outlive a test that crashed.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::string output = options.output.empty() ? "/dev/null" : options.output;
  const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int input = open("/dev/null", O_RDONLY);
  if (file >= 0) dup2(file, STDOUT_FILENO);
  if (file >= 0) dup2(file, STDERR_FILENO);
  if (input >= 0) dup2(input, STDIN_FILENO);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const auto& [name, value] : options.environment) setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

Process::~Process() {
  if (!Running()) return;
  Signal(SIGKILL);
  Wait();
}

void Process::Signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

int Process::Wait() {
  if (pid_ < 0) return exit_code_;
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return exit_code_;
}

bool Process::Running() {
  if (pid_ < 0) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == 0) return true;
  pid_ = -1;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

int RunProcess(std::vector<std::string> command, ProcessOptions options) {
  return Process(std::move(command), std::move(options)).Wait();
}

}  // namespace voltwell::testing
