#include "base/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <set>

namespace atelier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Texts = std::map<std::string, std::string>;

EnvironmentLookup Environment(Texts variables) {
  variables.emplace("HOME", "/home/ada");
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

// A file that goes away with the test.
class SettingsFile {
 public:
  explicit SettingsFile(const std::string& text)
      : path_(std::filesystem::path(testing::TempDir()) / ("settings-" + std::to_string(getpid()) + ".yaml")) {
    std::ofstream(path_) << text;
  }
  ~SettingsFile() { std::filesystem::remove(path_); }
  SettingsFile(const SettingsFile&) = delete;
  SettingsFile& operator=(const SettingsFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Result<Settings> Load(const Texts& flags, const Texts& environment, const std::string& yaml) {
  const SettingsFile file(yaml);
  return LoadSettings(flags, Environment(environment), file.path());
}

std::string Refusal(const Result<Settings>& result) { return result.ok() ? "accepted" : result.error().message; }

TEST(Config, DefaultsHold) {
  const auto settings = LoadSettings({}, Environment({}));
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->data_dir, "/home/ada/.local/share/atelier");
  EXPECT_EQ(settings->server_host, "127.0.0.1");
  EXPECT_EQ(settings->server_port, 8080);
  EXPECT_TRUE(settings->server_allowed_hosts.empty());
  EXPECT_EQ(settings->http_max_upload_bytes, 512 << 20);
  EXPECT_EQ(settings->http_header_timeout_ms, 10'000);
  EXPECT_EQ(settings->serving_max_delay_us, 500);
  EXPECT_EQ(settings->log_level, "info");
}

TEST(Config, AFlagWinsOverTheEnvironmentOverTheFileOverTheDefault) {
  const std::string yaml = "server: {port: 3, threads: 3}\njobs: {queued: 3}\n";
  const Texts environment{{"ATELIER_SERVER_PORT", "2"}, {"ATELIER_JOBS_QUEUED", "2"}};
  const auto settings = Load({{"port", "1"}}, environment, yaml);
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->server_port, 1);
  EXPECT_EQ(settings->jobs_queued, 2);
  EXPECT_EQ(settings->server_threads, 3);
  EXPECT_EQ(settings->jobs_running, 1);
}

TEST(Config, FlagsMayBeNamedAsTheSettingIs) {
  EXPECT_EQ(LoadSettings({{"server.port", "9"}}, Environment({}))->server_port, 9);
  EXPECT_EQ(LoadSettings({{"jobs-running", "9"}}, Environment({}))->jobs_running, 9);
}

TEST(Config, AnEmptyVariableIsAbsent) {
  EXPECT_EQ(LoadSettings({}, Environment({{"ATELIER_SERVER_PORT", ""}}))->server_port, 8080);
}

TEST(Config, UnitsAreUnderstood) {
  const auto read = [](const std::string& timeout, const std::string& bytes) {
    const auto settings =
        LoadSettings({{"predict-timeout-ms", timeout}, {"jobs-memory-bytes", bytes}}, Environment({}));
    return settings.ok() ? std::pair(settings->predict_timeout_ms, settings->jobs_memory_bytes)
                         : std::pair(int64_t{-1}, int64_t{-1});
  };
  EXPECT_EQ(read("250", "100000000"), std::pair(int64_t{250}, int64_t{100'000'000}));
  EXPECT_EQ(read("250ms", "64MiB"), std::pair(int64_t{250}, int64_t{64} << 20));
  EXPECT_EQ(read("30 s", "8 GiB"), std::pair(int64_t{30'000}, int64_t{8} << 30));
  EXPECT_EQ(read("5m", "1TiB"), std::pair(int64_t{300'000}, int64_t{1} << 40));
  EXPECT_EQ(read("1h", "1048576KiB"), std::pair(int64_t{3'600'000}, int64_t{1} << 30));
}

TEST(Config, WrongValuesAreRefused) {
  const std::pair<std::string, std::string> rows[] = {{"port", "65536"},
                                                      {"port", "-1"},
                                                      {"port", "80a"},
                                                      {"port", ""},
                                                      {"port", "8.5"},
                                                      {"port", "0x50"},
                                                      {"port", "99999999999999999999"},
                                                      {"port", "8080ms"},
                                                      {"predict-timeout-ms", "0"},
                                                      {"predict-timeout-ms", "2d"},
                                                      {"predict-timeout-ms", "1.5s"},
                                                      {"jobs-memory-bytes", "8GB"},
                                                      {"jobs-memory-bytes", "9223372036854775807TiB"},
                                                      {"log-level", "loud"},
                                                      {"log-level", "debug, info"},
                                                      {"data-dir", ""}};
  for (const auto& [flag, text] : rows) {
    const auto settings = LoadSettings({{flag, text}}, Environment({}));
    ASSERT_FALSE(settings.ok()) << flag << "=" << text;
    EXPECT_EQ(settings.error().code, Code::kInvalidArgument);
    EXPECT_THAT(settings.error().message, StartsWith("--" + flag + ": "));
    EXPECT_EQ(settings.error().param, FindSetting(flag)->name);
  }
}

TEST(Config, ARefusalNamesTheSourceTheSettingAndWhatIsAllowed) {
  EXPECT_EQ(Refusal(LoadSettings({{"port", "x\n"}}, Environment({}))),
            "--port: server.port must be an integer from 0 to 65535, not 'x?'");
  EXPECT_EQ(Refusal(LoadSettings({}, Environment({{"ATELIER_LOG_LEVEL", "loud"}}))),
            "ATELIER_LOG_LEVEL: log.level must be one of debug, info, warning, error, not 'loud'");
  const auto message = Refusal(Load({}, {}, "server:\n  host: ::1\n  port: many\n"));
  EXPECT_THAT(message, HasSubstr(".yaml:3: server.port must be an integer"));
  EXPECT_THAT(Refusal(LoadSettings({{"predict-timeout-ms", "2h"}}, Environment({}))),
              HasSubstr("a duration from 1ms to 1h"));
}

TEST(Config, PathsBeginAtHome) {
  const auto read = [](const std::string& text) {
    return LoadSettings({{"data-dir", text}}, Environment({}))->data_dir.string();
  };
  EXPECT_EQ(read("~/x"), "/home/ada/x");
  EXPECT_EQ(read("~"), "/home/ada");
  EXPECT_EQ(read("/srv/~/x"), "/srv/~/x");
  EXPECT_EQ(read("~bob/x"), "~bob/x");
  EXPECT_EQ(read("/数据/模型"), "/数据/模型");
  const auto homeless = LoadSettings({}, [](const std::string&) { return std::nullopt; });
  EXPECT_THAT(Refusal(homeless), HasSubstr("HOME is not set"));
}

TEST(Config, ListsComeAsTextOrAsSequence) {
  EXPECT_THAT(LoadSettings({{"allowed-hosts", "a.example, b.example,"}}, Environment({}))->server_allowed_hosts,
              ElementsAre("a.example", "b.example"));
  EXPECT_THAT(Load({}, {}, "server:\n  allowed_hosts: [a.example, b.example]\n")->server_allowed_hosts,
              ElementsAre("a.example", "b.example"));
  EXPECT_THAT(Load({}, {}, "server: {allowed_hosts: 'a.example, b.example'}\n")->server_allowed_hosts,
              ElementsAre("a.example", "b.example"));
}

TEST(Config, AFileMayBeEmptyOrDotted) {
  EXPECT_TRUE(Load({}, {}, "").ok());
  EXPECT_TRUE(Load({}, {}, "# nothing yet\nserver:\n").ok());
  EXPECT_EQ(Load({}, {}, "server.port: 7\ndata_dir: /srv\n")->server_port, 7);
}

TEST(Config, AnUnknownKeyGetsAHint) {
  EXPECT_THAT(Refusal(Load({}, {}, "data_dir: /x\nserver:\n  prot: 1\n")),
              AllOf(HasSubstr(":3: there is no setting server.prot"), HasSubstr("did you mean server.port?")));
  EXPECT_THAT(Refusal(Load({}, {}, "servre: {port: 1}\n")), HasSubstr("did you mean server?"));
  EXPECT_THAT(Refusal(Load({}, {}, "port: 1\n")), HasSubstr("did you mean server.port?"));
  EXPECT_THAT(Refusal(Load({}, {}, "completely_different_thing: 1\n")),
              AllOf(HasSubstr("there is no setting"), Not(HasSubstr("did you mean"))));
  EXPECT_THAT(Refusal(LoadSettings({{"prot", "1"}}, Environment({}))), HasSubstr("did you mean --port?"));
}

TEST(Config, AFileOfTheWrongShapeIsRefused) {
  EXPECT_THAT(Refusal(Load({}, {}, "server: {port: 1, port: 2}\n")), HasSubstr("given twice"));
  EXPECT_THAT(Refusal(Load({}, {}, "server: {port: 1}\nserver.port: 2\n")),
              HasSubstr(":2: server.port is given twice"));
  EXPECT_THAT(Refusal(Load({}, {}, "server: 5\n")), HasSubstr("is a section"));
  EXPECT_THAT(Refusal(Load({}, {}, "server: {port: }\n")), HasSubstr("has no value"));
  EXPECT_THAT(Refusal(Load({}, {}, "server: {port: [1, 2]}\n")), HasSubstr("single value"));
  EXPECT_THAT(Refusal(Load({}, {}, "server: {allowed_hosts: [[a]]}\n")), HasSubstr("list of texts"));
  EXPECT_THAT(Refusal(Load({}, {}, "- a\n")), HasSubstr("map of settings"));
  EXPECT_THAT(Refusal(Load({}, {}, "[a]: 1\n")), HasSubstr("key must be a text"));
  EXPECT_THAT(Refusal(Load({}, {}, "a: [\nb: c\n")), HasSubstr(".yaml:"));
  EXPECT_THAT(Refusal(Load({}, {}, std::string(100'000, '['))), Not("accepted"));
  EXPECT_THAT(Refusal(Load({}, {}, std::string(2U << 20U, '#'))), HasSubstr("1 MiB"));
}

TEST(Config, AFileThatCannotBeReadIsNotFound) {
  for (const char* path : {"/no/such/file.yaml", "/"}) {
    const auto settings = LoadSettings({}, Environment({}), path);
    ASSERT_FALSE(settings.ok());
    EXPECT_EQ(settings.error().code, Code::kNotFound);
    EXPECT_THAT(settings.error().message, HasSubstr(path));
  }
}

TEST(Config, EverySettingIsDescribedOnce) {
  std::set<std::string_view> names;
  std::set<std::string_view> flags;
  for (const auto& setting : kSettings) {
    EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
    EXPECT_TRUE(flags.insert(setting.flag).second) << setting.flag;
    EXPECT_THAT(std::string(setting.environment), StartsWith("ATELIER_"));
    EXPECT_FALSE(setting.help.empty()) << setting.name;
    EXPECT_EQ(FindSetting(setting.flag), &setting);
  }
  EXPECT_EQ(FindSetting("no.such"), nullptr);
}

// The struct's initialisers and the descriptors' texts are generated apart; they must agree.
TEST(Config, TheStructsDefaultsAreTheTable) {
  const Settings plain;
  const auto loaded = LoadSettings({}, Environment({}));
  for (const auto& setting : kSettings) {
    const bool same = std::visit(
        [&](auto member) { return setting.type == SettingType::kPath || plain.*member == (*loaded).*member; },
        setting.member);
    EXPECT_TRUE(same) << setting.name;
  }
}

}  // namespace
}  // namespace atelier
