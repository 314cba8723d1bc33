#include "hub/options.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "hub/retry.h"
#include "hub/url.h"
#include "storage/test_folder.h"

namespace atelier::hub {
namespace {

Environment Of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST(Tokens, ComeFromTheEnvironment) {
  EXPECT_EQ(TokensFrom(Of({{"HF_TOKEN", "hf_a\n"}, {"HUGGING_FACE_HUB_TOKEN", "b"}})).huggingface.Reveal(), "hf_a");
  EXPECT_EQ(TokensFrom(Of({{"HUGGING_FACE_HUB_TOKEN", "b"}})).huggingface.Reveal(), "b");
  EXPECT_TRUE(TokensFrom(Of({{"HF_TOKEN", "a"}, {"HF_HUB_DISABLE_IMPLICIT_TOKEN", "yes"}})).huggingface.empty());
  EXPECT_TRUE(TokensFrom(Of({{"HF_TOKEN", "a\r\nX-Evil: 1"}})).huggingface.empty());
  EXPECT_EQ(TokensFrom(Of({{"MODELSCOPE_API_TOKEN", "m"}})).modelscope.Reveal(), "m");
  const storage::TestFolder folder;
  std::ofstream(folder / "token") << "hf_file\n";
  EXPECT_EQ(TokensFrom(Of({{"HF_HOME", folder.path().string()}})).huggingface.Reveal(), "hf_file");
  EXPECT_EQ(TokensFrom(Of({{"HF_TOKEN_PATH", (folder / "token").string()}})).huggingface.Reveal(), "hf_file");
}

TEST(Caches, AreWhereTheirOwnersPutThem) {
  EXPECT_EQ(CachesFrom(Of({{"HF_HUB_CACHE", "/c"}})).huggingface, "/c");
  EXPECT_EQ(CachesFrom(Of({{"HF_HOME", "/h"}})).huggingface, "/h/hub");
  const auto home = CachesFrom(Of({{"HOME", "/u"}}));
  EXPECT_EQ(home.huggingface, "/u/.cache/huggingface/hub");
  EXPECT_EQ(home.ollama, "/u/.ollama/models");
  EXPECT_EQ(CachesFrom(Of({})).huggingface, "");
}

TEST(Options, TravelAsJson) {
  Options options;
  options.huggingface = "http://mirror";
  options.private_addresses = true;
  options.connections = 7;
  EXPECT_EQ(OptionsFromJson(ToJson(options)).value(), options);
  EXPECT_FALSE(OptionsFromJson({{"connections", 0}}).ok());
}

TEST(Url, ResolvesAndHides) {
  const auto base = ParseUrl("https://Example.com:8443/a/b?token=x").value();
  EXPECT_EQ(base.origin(), "https://example.com:8443");
  EXPECT_EQ(base.ForPeople(), "https://example.com/a/b");
  EXPECT_EQ(ResolveUrl(base, "../c").value().text, "https://Example.com:8443/c");
  EXPECT_EQ(ResolveUrl(base, "//other/x").value().origin(), "https://other:443");
  for (const char* location : {"file:///etc/passwd", "gopher://x/", "http://u:p@x/", "https://a b/"}) {
    EXPECT_FALSE(ResolveUrl(base, location).ok()) << location;
  }
  EXPECT_EQ(EncodeUrl("a/b c"), "a%2Fb%20c");
}

TEST(Backoff, WaitsLongerAndThenNotAtAll) {
  Backoff backoff;
  const Error broken = Unavailable("x", "connection_failed");
  EXPECT_EQ(backoff.After(broken, false), 500);
  EXPECT_EQ(backoff.After(broken, false), 1000);
  EXPECT_EQ(backoff.After(broken, true), 500);  // it had got on
  EXPECT_EQ(backoff.After(Error{Code::kResourceExhausted, "x", "rate_limited", "", 7}, false), 7000);
  EXPECT_FALSE(backoff.After(Error{Code::kResourceExhausted, "x", "rate_limited", "", 7000}, false).has_value());
  EXPECT_FALSE(backoff.After(NotFound("x"), true).has_value());
  while (backoff.After(broken, false).has_value()) {
  }
}

}  // namespace
}  // namespace atelier::hub
