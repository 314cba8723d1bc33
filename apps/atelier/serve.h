// `atelier serve`: the gateway.
#pragma once

namespace atelier::apps {

// Runs until SIGTERM or SIGINT. Returns the process's exit status: 0 after a graceful stop, 1 when it could not start
// (one clear line on standard error), 2 for wrong flags.
int Serve(int argc, char** argv);

}  // namespace atelier::apps
