#include "serve.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <openapi.h>
#include <version.h>
#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <iostream>

#include "access/keys.h"
#include "api/server.h"
#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "data/files.h"
#include "data/store.h"
#include "data/traffic/recorder.h"
#include "deploy_follower.h"
#include "hub/pull.h"
#include "jobs/service.h"
#include "kinds.h"
#include "learning/evaluation/gate.h"
#include "registry/registry.h"
#include "serving/deployments.h"
#include "storage/blob_store.h"
#include "storage/catalogue.h"

namespace atelier::apps {
namespace {

namespace fs = std::filesystem;

// One server a data folder; the lock ends with the process.
Status LockDataDir(const fs::path& data_dir) {
  std::error_code ec;
  const bool made = fs::create_directories(data_dir, ec);
  if (ec) {
    return FailedPrecondition("the data folder " + data_dir.string() + " cannot be made: " + ec.message());
  }
  if (made) {
    fs::permissions(data_dir, fs::perms::owner_all, ec);
  }
  const int lock = open((data_dir / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return FailedPrecondition("the data folder " + data_dir.string() + " is in use by another server, or not writable");
  }
  return {};
}

// Written whole or not at all, for scripts that asked for port 0.
Status WritePort(const fs::path& data_dir, uint16_t port) {
  const fs::path temporary = data_dir / "server.port.new";
  std::ofstream(temporary) << port << "\n";
  std::error_code ec;
  fs::rename(temporary, data_dir / "server.port", ec);
  return ec ? Status(Internal("the port cannot be written: " + ec.message())) : Status();
}

std::vector<storage::Migration> AllMigrations() {
  std::vector<storage::Migration> all;
  for (const auto module : {access::Migrations(), jobs::Migrations(), data::Migrations(), registry::Migrations()}) {
    all.insert(all.end(), module.begin(), module.end());
  }
  return all;
}

jobs::Options JobOptions(const Settings& settings, const fs::path& program_dir) {
  jobs::Options options;
  options.data_dir = settings.data_dir;
  options.program_dir = program_dir;
  options.limits.running = static_cast<int>(settings.jobs_running);
  options.limits.queued = static_cast<int>(settings.jobs_queued);
  options.limits.memory_bytes = static_cast<uint64_t>(settings.jobs_memory_bytes);
  options.limits.time_ms = settings.jobs_time_limit_ms;
  options.limits.threads = static_cast<int>(settings.jobs_threads);
  return options;
}

serving::ManagerOptions ServingOptions(const Settings& settings, const fs::path& program_dir, Metrics& metrics) {
  serving::ManagerOptions options;
  options.data_dir = settings.data_dir;
  options.program_dir = program_dir;
  options.threads = static_cast<int>(settings.serving_threads);
  options.stuck_after_ms = settings.serving_stuck_after_ms;
  options.drain_ms = settings.serving_drain_ms;
  options.predict_timeout_ms = settings.predict_timeout_ms;
  options.generate_timeout_ms = settings.generate_timeout_ms;
  options.batch.max_batch = static_cast<int>(settings.serving_max_batch);
  options.batch.max_delay_us = static_cast<int>(settings.serving_max_delay_us);
  options.batch.max_queue = static_cast<int>(settings.serving_max_queue);
  options.speculation = settings.generate_speculation;
  options.metrics = &metrics;
  return options;
}

std::string FirstOf(std::string setting, const std::string& environment, const std::string& fallback) {
  return !setting.empty() ? setting : (!environment.empty() ? environment : fallback);
}

// Nothing where nobody may pull.
Result<std::optional<hub::Options>> HubOptions(const Settings& settings) {
  if (!settings.hub_pull) {
    return std::optional<hub::Options>();
  }
  hub::Options options;
  const std::string domain = SystemEnvironment("MODELSCOPE_DOMAIN").value_or("");
  ATELIER_ASSIGN(huggingface,
                 hub::CheckEndpoint(FirstOf(settings.hub_huggingface, SystemEnvironment("HF_ENDPOINT").value_or(""),
                                            options.huggingface)));
  ATELIER_ASSIGN(modelscope,
                 hub::CheckEndpoint(
                     FirstOf(settings.hub_modelscope, domain.empty() ? "" : "https://" + domain, options.modelscope)));
  ATELIER_ASSIGN(ollama, hub::CheckEndpoint(settings.hub_ollama));
  options.huggingface = std::move(huggingface);
  options.modelscope = std::move(modelscope);
  options.ollama = std::move(ollama);
  options.private_addresses = settings.hub_private_addresses;
  options.connections = static_cast<int>(settings.hub_connections);
  options.part_bytes = static_cast<uint64_t>(settings.hub_part_bytes);
  options.max_bytes = static_cast<uint64_t>(settings.hub_max_bytes);
  return std::optional(std::move(options));
}

api::Options ApiOptions(const Settings& settings) {
  api::Options options;
  options.host = settings.server_host;
  options.port = static_cast<uint16_t>(settings.server_port);
  options.io_threads = static_cast<int>(settings.server_threads);
  options.allowed_hosts = settings.server_allowed_hosts;
  options.limits.header_bytes = static_cast<size_t>(settings.http_max_header_bytes);
  options.limits.header_fields = static_cast<size_t>(settings.http_max_headers);
  options.limits.target_bytes = static_cast<size_t>(settings.http_max_uri_bytes);
  options.limits.json_bytes = static_cast<uint64_t>(settings.http_max_json_bytes);
  options.limits.media_bytes = static_cast<uint64_t>(settings.http_max_body_bytes);
  options.limits.file_bytes = static_cast<uint64_t>(settings.http_max_upload_bytes);
  options.limits.header_timeout_ms = settings.http_header_timeout_ms;
  options.limits.body_bytes_per_s = settings.http_body_min_bytes_per_s;
  options.limits.idle_timeout_ms = settings.http_idle_timeout_ms;
  options.limits.write_timeout_ms = settings.http_write_timeout_ms;
  options.limits.connections = static_cast<int>(settings.http_max_connections);
  options.limits.drain_ms = settings.server_drain_ms;
  return options;
}

// Blocks until one of the signals arrives. They must be blocked in every thread before any is started.
int WaitForSignal(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
  return signal;
}

sigset_t BlockSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

Status CheckGate(const json::object& object, const std::string& version,
                 std::span<const registry::Evaluation> evaluations) {
  ATELIER_ASSIGN(gate, learning::GateFromJson(object, "gate"));
  std::vector<learning::GateEvidence> evidence;
  for (const auto& one : evaluations) {
    evidence.push_back({one.dataset_name, one.dataset_version, one.split, &one.metrics});
  }
  return learning::CheckGate(gate, version, evidence);
}

// Everything the gateway is, from the floor up; ends in the opposite order.
Status Run(const Settings& settings) {
  const sigset_t signals = BlockSignals();
  ATELIER_TRY(LockDataDir(settings.data_dir));
  ATELIER_ASSIGN(hub_options, HubOptions(settings));
  const fs::path program_dir = fs::read_symlink("/proc/self/exe").parent_path();
  SystemClock clock;
  SystemRng rng;
  Metrics metrics;
  const auto migrations = AllMigrations();
  ATELIER_ASSIGN(catalogue, storage::OpenSqliteCatalogue(settings.data_dir / "catalogue.db", migrations));
  ATELIER_ASSIGN(blobs, storage::OpenFolderBlobStore(settings.data_dir / "blobs"));
  ATELIER_TRY(blobs->Sweep());
  ATELIER_ASSIGN(keys, access::Keys::Open(*catalogue, clock, rng, settings.data_dir));
  ATELIER_TRY(keys->EnsureOwner());
  data::Store datasets(*catalogue, clock, rng);
  data::Files files(*catalogue, *blobs, clock, rng);
  data::TrafficStore traffic(*catalogue, clock);
  data::Recorder recorder(traffic, clock, rng, metrics);
  registry::Registry registry(*catalogue, clock, rng, CheckGate);
  ATELIER_ASSIGN(jobs, jobs::Service::Start(*catalogue, clock, rng, JobKinds(datasets, registry),
                                            JobOptions(settings, program_dir)));
  ATELIER_ASSIGN(manager,
                 serving::Manager::Start(registry, *blobs, clock, rng, ServingOptions(settings, program_dir, metrics)));
  api::Services services{.keys = *keys,
                         .datasets = datasets,
                         .files = files,
                         .blobs = *blobs,
                         .jobs = *jobs,
                         .registry = registry,
                         .serving = *manager,
                         .metrics = metrics,
                         .clock = clock,
                         .rng = rng,
                         .code_version = std::string(kCodeVersion),
                         .blob_dir = settings.data_dir / "blobs",
                         .openapi = std::string(kOpenApi),
                         .pull = std::move(hub_options),
                         .traffic = &traffic,
                         .recorder = &recorder};
  const DeployFollower follower(*jobs, *manager);
  ATELIER_ASSIGN(server, api::Server::Start(services, ApiOptions(settings)));
  ATELIER_TRY(WritePort(settings.data_dir, server->port()));
  LogInfo("listening",
          {{"host", std::string_view(settings.server_host)}, {"port", static_cast<int64_t>(server->port())}});
  const int signal = WaitForSignal(signals);
  LogInfo("stopping", {{"signal", static_cast<int64_t>(signal)}});
  server->Stop();
  manager->Stop();
  jobs->Stop();
  return {};
}

// Flags by the settings' own names; the values stay text until LoadSettings checks them.
Result<Settings> ParseFlags(int argc, char** argv, int& exit_status) {
  CLI::App app{"Runs the Atelier server", "atelier serve"};
  std::map<std::string, std::string> values;
  std::string file;
  app.add_option("--config", file, "Settings in YAML");
  for (const auto& setting : kSettings) {
    app.add_option("--" + std::string(setting.flag), values[std::string(setting.flag)],
                   std::string(setting.help) + " [" + std::string(setting.default_text) + "]");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_status = app.exit(error) == 0 ? 0 : 2;
    return MakeError(Code::kCancelled, "");
  }
  std::map<std::string, std::string> given;
  for (const auto& [flag, value] : values) {
    if (app.count("--" + flag) > 0) {
      given[flag] = value;
    }
  }
  return LoadSettings(given, SystemEnvironment, file.empty() ? std::nullopt : std::optional<fs::path>(file));
}

}  // namespace

int Serve(int argc, char** argv) {
  int exit_status = 2;
  auto settings = ParseFlags(argc, argv, exit_status);
  if (!settings.ok()) {
    if (!settings.error().message.empty()) {
      std::cerr << "error: " << settings.error().message << "\n";
    }
    return exit_status;
  }
  if (auto level = LogLevelFromName(settings->log_level); level.ok()) {
    SetLogLevel(*level);
  }
  const Status status = Run(*settings);
  if (!status.ok()) {
    std::cerr << "error: " << status.error().message << "\n";
    return 1;
  }
  return 0;
}

}  // namespace atelier::apps
