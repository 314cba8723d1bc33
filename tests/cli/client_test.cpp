// The client against a small server that answers from a script and keeps what it was sent.
#include <gtest/gtest.h>

#include <algorithm>

#include "atelier/cli/api.h"
#include "atelier/cli/follow.h"
#include "atelier/cli/upload.h"
#include "base/hash.h"
#include "base/json.h"
#include "stub_server.h"

namespace atelier::cli {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class MemorySource final : public Source {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_.size(); }
  Status Read(uint64_t offset, std::span<char> out) override {
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  }

 private:
  std::string bytes_;
};

std::string Bytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>(i * 2654435761U >> 13U);
  }
  return bytes;
}

TEST(Api, SendsTheKeyAndReadsTheAnswer) {
  StubServer server([](const Seen&) { return Answer(200, R"({"a":1})"); });
  const auto answer = server.Client().Post("/v1/x", {{"b", 2}});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(GetInt(*answer, "a"), 1);
  EXPECT_EQ(Line(server.seen()[0]), "POST /v1/x");
  EXPECT_NE(server.seen()[0].head.find("Authorization: Bearer sk-test\r\n"), std::string::npos);
  EXPECT_EQ(server.seen()[0].body, R"({"b":2})");
}

TEST(Api, TurnsRefusalsIntoErrors) {
  StubServer server([](const Seen& seen) {
    return Line(seen) == "GET /a"   ? Answer(404, R"({"error":{"message":"no","type":"t","param":"p","code":"c"}})")
           : Line(seen) == "GET /b" ? Answer(400, R"({"error":"plain"})")
                                    : Answer(502, "<html>", "text/html");
  });
  Api api = server.Client();
  const auto refused = api.Get("/a");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kNotFound);
  EXPECT_EQ(refused.error().message, "no");
  EXPECT_EQ(refused.error().reason, "c");
  EXPECT_EQ(refused.error().param, "p");
  EXPECT_EQ(api.Get("/b").error().message, "plain");
  EXPECT_EQ(api.Get("/c").error().reason, "http_502");
}

TEST(Api, SaysThatThereIsNoServer) {
  uint16_t port = 0;
  {
    asio::io_context context;
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    port = acceptor.local_endpoint().port();
  }
  HttpOptions options;
  options.url = *ParseUrl("http://127.0.0.1:" + std::to_string(port));
  const auto answer = Api(Http(options)).Get("/");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().reason, "no_server");
  EXPECT_NE(answer.error().message.find("no server at http://127.0.0.1:"), std::string::npos);
}

TEST(Api, SaysThatTheConnectionBroke) {
  StubServer server([](const Seen&) { return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"; });
  EXPECT_EQ(server.Client().Get("/").error().reason, "connection_failed");
}

TEST(Api, ReadsListsPageByPage) {
  StubServer server([](const Seen& seen) {
    return Line(seen).find("after=") == std::string::npos
               ? Answer(200, R"({"data":[{"id":"a"},{"id":"b"}],"last_id":"b","has_more":true})")
               : Answer(200, R"({"data":[{"id":"c"}],"last_id":"c","has_more":false})");
  });
  const auto items = server.Client().List("/v1/jobs", "kind=train");
  ASSERT_TRUE(items.ok());
  EXPECT_EQ(items->size(), 3U);
  EXPECT_EQ(Line(server.seen()[1]), "GET /v1/jobs?limit=100&kind=train&after=b");
}

TEST(SendFile, SendsSmallFilesWhole) {
  StubServer server([](const Seen&) { return Answer(200, R"({"id":"file-1"})"); });
  Api api = server.Client();
  MemorySource source("a,b\n1,2\n");
  Progress progress(stderr);
  const auto id = SendFile(api, "dir/\u82b1.csv", source, progress);
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(*id, "file-1");
  const Seen& seen = server.seen()[0];
  EXPECT_EQ(Line(seen), "POST /v1/files");
  EXPECT_NE(seen.body.find("name=\"file\"; filename=\"\u82b1.csv\""), std::string::npos);
  EXPECT_NE(seen.body.find("\r\n\r\na,b\n1,2\n\r\n--"), std::string::npos);
}

// What is between the empty line and the closing boundary of a form with one part.
std::string OnlyPart(const std::string& body) {
  const size_t begin = body.find("\r\n\r\n") + 4;
  return body.substr(begin, body.rfind("\r\n--") - begin);
}

// Keeps an upload as the server would. A part is lost when `break_at` connections have been answered.
class UploadStub {
 public:
  explicit UploadStub(int break_at) : break_at_(break_at) {}

  std::string operator()(const Seen& seen) {
    const std::string line = Line(seen);
    if (line == "POST /v1/uploads/upload_1/parts") {
      if (++requests_ == break_at_) {
        return "";
      }
      parts_.push_back(OnlyPart(seen.body));
      return Answer(200, json::serialize(Describe(parts_.size() - 1)));
    }
    if (line == "POST /v1/uploads/upload_1/complete") {
      return Answer(200, R"({"status":"completed","file":{"id":"file-2"}})");
    }
    json::array parts;
    for (size_t i = 0; i < parts_.size(); ++i) {
      parts.push_back(Describe(i));
    }
    return Answer(200, json::serialize(json::object{{"id", "upload_1"}, {"parts", parts}}));
  }

  std::string Content() const {
    std::string all;
    for (const auto& part : parts_) {
      all += part;
    }
    return all;
  }
  void Keep(std::string part) { parts_.push_back(std::move(part)); }
  int requests() const { return requests_; }

 private:
  json::object Describe(size_t i) const {
    return {{"id", "part_" + std::to_string(i)}, {"bytes", parts_[i].size()}, {"sha256", Sha256Hex(parts_[i])}};
  }

  int break_at_;
  int requests_ = 0;
  std::vector<std::string> parts_;
};

TEST(SendFile, SendsLargeFilesInPartsAndSendsALostPartAgain) {
  UploadStub stub(2);
  StubServer server(std::ref(stub));
  Api api = server.Client();
  const std::string bytes = Bytes(2 * kPartBytes + 1000);
  MemorySource source(bytes);
  Progress progress(stderr);
  const auto id = SendFile(api, "big.bin", source, progress);
  ASSERT_TRUE(id.ok()) << id.error().message;
  EXPECT_EQ(*id, "file-2");
  EXPECT_TRUE(stub.Content() == bytes);
  EXPECT_EQ(stub.requests(), 4);
}

TEST(SendFile, GoesOnWhereAnEarlierRunStopped) {
  const std::string bytes = Bytes(kPartBytes + 5000);
  UploadStub stub(-1);
  stub.Keep(bytes.substr(0, 3000));
  StubServer server(std::ref(stub));
  Api api = server.Client();
  MemorySource source(bytes);
  Progress progress(stderr);
  ASSERT_TRUE(SendFile(api, "big.bin", source, progress).ok());
  EXPECT_TRUE(stub.Content() == bytes);
  EXPECT_EQ(stub.requests(), 2);  // 3,000 bytes of the 16 MiB and 5,000 were there
}

std::string EventText(int sequence, const std::string& type, const std::string& data) {
  return "id: " + std::to_string(sequence) + "\nevent: " + type + "\ndata: {\"sequence\":" + std::to_string(sequence) +
         ",\"type\":\"" + type + "\",\"data\":" + data + "}\n\n";
}

TEST(FollowJob, TakesUpABrokenStreamAfterTheLastEvent) {
  int streams = 0;
  StubServer server([&](const Seen& seen) -> std::string {
    if (Line(seen).find("/events") == std::string::npos) {
      return Answer(200, R"({"id":"job_1","status":"succeeded","result":{"version":3}})");
    }
    if (++streams == 1) {
      return "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + EventText(1, "state", R"({"state":"running"})");
    }
    return Answer(200, EventText(2, "state", R"({"state":"succeeded"})"), "text/event-stream");
  });
  Api api = server.Client();
  Progress progress(stderr);
  const auto job = FollowJob(api, "job_1", progress);
  ASSERT_TRUE(job.ok()) << job.error().message;
  EXPECT_EQ(GetString(*job, "status"), "succeeded");
  EXPECT_EQ(Line(server.seen()[0]), "GET /v1/jobs/job_1/events?after=0");
  EXPECT_EQ(Line(server.seen()[1]), "GET /v1/jobs/job_1/events?after=1");
}

TEST(FollowJob, GivesTheJobsOwnError) {
  StubServer server([&](const Seen& seen) {
    return Line(seen).find("/events") != std::string::npos
               ? Answer(200, EventText(1, "state", R"({"state":"failed"})"), "text/event-stream")
               : Answer(200, R"({"id":"job_1","status":"failed","error":{"code":"invalid_csv","message":"row 3"}})");
  });
  Api api = server.Client();
  Progress progress(stderr);
  const auto job = FollowJob(api, "job_1", progress);
  ASSERT_FALSE(job.ok());
  EXPECT_EQ(job.error().reason, "invalid_csv");
  EXPECT_EQ(job.error().message, "the job job_1 failed: row 3");
}

}  // namespace
}  // namespace atelier::cli
