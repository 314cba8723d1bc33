// `atelier worker llm`: one model version of the generative engine.
#pragma once

namespace atelier::apps {

// `argv` begins with the subcommand. Returns the process's exit status: that of serving::RunGenerativeWorker, 2 for
// wrong flags.
int RunLanguageWorker(int argc, char** argv);

}  // namespace atelier::apps
