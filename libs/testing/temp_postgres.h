// A PostgreSQL of its own for a test program: started in about half a second from a template that initdb made once for
// this user, on a free port of 127.0.0.1, gone with the object. fsync is off: only for tests.
//
// The role is no superuser but owns the database, so that FORCEd row-level security holds for it as in production.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/pg/pg.h"
#include "libs/testing/process.h"

namespace voltwell::testing {

class TempPostgres {
 public:
  TempPostgres();
  ~TempPostgres();

  int port() const { return port_; }
  std::string url() const { return UrlAt(port_); }  // Role and database voltwell.
  std::string UrlAt(int port) const;                // The same through a ChaosProxy.
  std::string superuser_url() const;
  // Ready for Pool and Migrate: a schema of a name of its own.
  pg::Config config(const std::string& schema) const;

  void Kill();   // At once and without a checkpoint; the next start recovers from the log.
  void Stop();   // In order, as a planned restart: clients are told.
  void Start();  // After Kill or Stop; the data is still there.

 private:
  bool Answers() const;
  TempDirectory directory_;
  int port_ = 0;
  std::unique_ptr<Process> server_;
};

// One server for all the tests of a program, started by the first that asks: give each test a schema of its own.
TempPostgres& SharedPostgres();
// A schema name that no other test of this program got: t1, t2, ...
std::string NewSchema();

}  // namespace voltwell::testing
