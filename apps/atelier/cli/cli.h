// The command line: a client of the REST API.
#pragma once

#include "base/result.h"

namespace atelier::cli {

// Exit codes of Run.
inline constexpr int kExitOk = 0;
inline constexpr int kExitRefused = 1;   // the server refused, or the job failed
inline constexpr int kExitUsage = 2;     // the command line or an input is wrong
inline constexpr int kExitNoServer = 3;  // no server, or the connection broke
inline constexpr int kExitInterrupted = 130;

// Runs one command and returns its exit code. Results go to standard output; errors, hints and the progress of work
// that is only waited for go to standard error. Takes over SIGINT for the process.
int Run(int argc, char** argv);

// To standard error, with a hint at what to do where there is one.
void PrintError(const Error& error);

}  // namespace atelier::cli
