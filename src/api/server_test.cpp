#include "api/server.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "api/testing/fixture.h"

namespace atelier::api {
namespace {

using test::Client;
using test::ServerTest;

TEST_F(ServerTest, AnswersHealthWithoutAKey) {
  Client client(server_->port());
  client.Send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"status":"ok"})");
  EXPECT_EQ(answer.Header("Server"), "atelier");
  EXPECT_TRUE(answer.Header("x-request-id").starts_with("req_"));
  EXPECT_FALSE(answer.Header("openai-processing-ms").empty());
  EXPECT_FALSE(answer.Header("Date").empty());
}

TEST_F(ServerTest, AsksForAKeyBeforeItRoutes) {
  for (const char* target : {"/v1/models", "/no/such/route", "/metrics", "/openapi.yaml", "/v1/../x"}) {
    const auto answer = Call("GET", target, "", "", "bad");
    EXPECT_EQ(answer.status, 401) << target;
    EXPECT_EQ(answer.Header("WWW-Authenticate"), "Bearer");
    EXPECT_EQ(Reason(answer), "invalid_api_key");
  }
}

TEST_F(ServerTest, EchoesSaneRequestIdsOnly) {
  EXPECT_EQ(Call("GET", "/healthz", "", "x-request-id: abc_1-Z\r\n").Header("x-request-id"), "abc_1-Z");
  EXPECT_TRUE(Call("GET", "/healthz", "", "x-request-id: a b\r\n").Header("x-request-id").starts_with("req_"));
}

TEST_F(ServerTest, KeepsTheConnectionForMoreRequests) {
  Client client(server_->port());
  client.Send(Ask("GET", "/healthz") + Ask("HEAD", "/healthz") + Ask("GET", "/v1/models"));
  EXPECT_EQ(client.Read().status, 200);
  const auto head = client.Read(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.Header("Content-Length"), "15");
  EXPECT_EQ(client.Read().status, 200);
  client.Send("GET /healthz HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.Read().Header("Connection"), "close");
  EXPECT_TRUE(client.Closed());
}

struct Row {
  const char* name;
  std::string request;
  int status;
  bool closes;
};

class HostileRows : public ServerTest, public ::testing::WithParamInterface<Row> {};

TEST_P(HostileRows, GetTheirAnswer) {
  Client client(server_->port());
  client.Send(GetParam().request);
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, GetParam().status) << GetParam().name << "\n" << answer.body;
  EXPECT_FALSE(answer.Header("x-request-id").empty());
  EXPECT_TRUE(Json(answer).contains("error")) << answer.body;
  EXPECT_TRUE(answer.head.find("Access-Control") == std::string::npos);
  if (GetParam().closes) {
    client.FinishSending();
    EXPECT_TRUE(client.Closed());
  }
  EXPECT_EQ(Call("GET", "/healthz").status, 200);
}

const std::string kAuth = "Host: localhost\r\nAuthorization: Bearer good\r\n";

INSTANTIATE_TEST_SUITE_P(
    Table, HostileRows,
    ::testing::Values(
        Row{"version", "GET / HTTP/9.9\r\n\r\n", 400, true},
        Row{"smuggling",
            "POST /v1/predict HTTP/1.1\r\n" + kAuth +
                "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n",
            400, true},
        Row{"double chunked", "POST /v1/predict HTTP/1.1\r\n" + kAuth + "Transfer-Encoding: chunked, chunked\r\n\r\n",
            400, true},
        Row{"unknown coding", "POST /v1/predict HTTP/1.1\r\n" + kAuth + "Transfer-Encoding: xchunked\r\n\r\n", 501,
            true},
        Row{"name with space", "GET / HTTP/1.1\r\n" + kAuth + "A b: c\r\n\r\n", 400, true},
        Row{"bare line feed", "GET / HTTP/1.1\nHost: localhost\n\n", 400, true},
        Row{"folded", "GET / HTTP/1.1\r\n" + kAuth + "A: b\r\n c\r\n\r\n", 400, true},
        Row{"large head", "GET / HTTP/1.1\r\n" + kAuth + "A: " + std::string(40000, 'x') + "\r\n\r\n", 431, true},
        Row{"long target", "GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n" + kAuth + "\r\n", 414, true},
        Row{"bad escape", "GET /%zz HTTP/1.1\r\n" + kAuth + "\r\n", 400, false},
        Row{"escaped NUL", "GET /%00 HTTP/1.1\r\n" + kAuth + "\r\n", 400, false},
        Row{"raw bytes", "GET /\xc3\xa9 HTTP/1.1\r\n" + kAuth + "\r\n", 400, true},
        Row{"dots", "GET /v1/../healthz HTTP/1.1\r\n" + kAuth + "\r\n", 404, false},
        Row{"encoded dots", "GET /v1/%2e%2e/healthz HTTP/1.1\r\n" + kAuth + "\r\n", 404, false},
        Row{"double slash", "GET //healthz HTTP/1.1\r\n" + kAuth + "\r\n", 404, false},
        Row{"backslash", "GET /v1\\models HTTP/1.1\r\n" + kAuth + "\r\n", 404, false},
        Row{"foreign host", "GET /v1/models HTTP/1.1\r\nHost: evil.com\r\nAuthorization: Bearer good\r\n\r\n", 421,
            false},
        Row{"foreign origin", "DELETE /v1/files/x HTTP/1.1\r\n" + kAuth + "Origin: https://evil\r\n\r\n", 403, false},
        Row{"gzip", "POST /v1/datasets HTTP/1.1\r\n" + kAuth + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
            415, true},
        Row{"text",
            "POST /v1/datasets HTTP/1.1\r\n" + kAuth + "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415,
            true},
        Row{"too large", "POST /v1/datasets HTTP/1.1\r\n" + kAuth + "Content-Length: 8388609\r\n\r\n", 413, true},
        Row{"not JSON", "POST /v1/datasets HTTP/1.1\r\n" + kAuth + "Content-Length: 1\r\n\r\n{", 400, false},
        Row{"bad chunk", "POST /v1/datasets HTTP/1.1\r\n" + kAuth + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400,
            true},
        Row{"no boundary",
            "POST /v1/files HTTP/1.1\r\n" + kAuth +
                "Content-Type: multipart/form-data\r\nContent-Length: 5\r\n\r\nhello",
            400, true},
        Row{"empty form",
            "POST /v1/files HTTP/1.1\r\n" + kAuth + "Content-Type: multipart/form-data; boundary=B\r\n\r\n", 400,
            false}),
    [](const auto& info) {
      std::string name;
      for (const char c : std::string_view(info.param.name)) {
        name += c == ' ' ? '_' : c;
      }
      return name;
    });

TEST_F(ServerTest, NamesTheMethodsOfARoute) {
  auto answer = Call("PUT", "/v1/files");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.Header("Allow"), "GET, HEAD, POST, OPTIONS");
  answer = Call("OPTIONS", "/v1/files", "", "Access-Control-Request-Method: POST\r\n");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.Header("Allow"), "GET, HEAD, POST, OPTIONS");
  for (const char* method : {"TRACE", "CONNECT"}) {
    EXPECT_EQ(Call(method, "/v1/files").status, 405);
  }
  for (const char* method : {"FOO", "get"}) {
    answer = Call(method, "/v1/files");
    EXPECT_EQ(answer.status, 501);
    EXPECT_FALSE(answer.Header("Allow").empty());
  }
}

TEST_F(ServerTest, InvitesABodyOnlyAfterItsChecks) {
  Client refused(server_->port());
  refused.Send(
      "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer bad\r\nContent-Length: 10\r\nExpect: "
      "100-continue\r\n\r\n");
  EXPECT_EQ(refused.Read().status, 401);
  Client client(server_->port());
  const std::string body = R"({"model":"digits","input":[0.1,0.7,0.2]})";
  client.Send("POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer good\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Read(true).status, 100);
  client.Send(body);
  EXPECT_EQ(client.Read().status, 200);
}

TEST_F(ServerTest, ReadsChunkedBodiesByteByByte) {
  const std::string body = R"({"model":"digits","inputs":[[1,0,0]]})";
  std::string request = "POST /v1/predict HTTP/1.1\r\n" + kAuth + "Transfer-Encoding: chunked\r\n\r\n";
  for (const char c : body) {
    request += std::string("1\r\n") + c + "\r\n";
  }
  Client client(server_->port());
  client.Send(request + "0\r\n\r\n" + Ask("GET", "/healthz"));
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_EQ(client.Read().status, 200);
}

TEST_F(ServerTest, GivesUpOnSlowClients) {
  options_.limits.header_timeout_ms = 200;
  options_.limits.body_grace_ms = 200;
  options_.limits.idle_timeout_ms = 200;
  Start();
  Client head(server_->port());
  head.Send("GET / HT");
  EXPECT_EQ(head.Read().status, 408);
  Client body(server_->port());
  body.Send("POST /v1/datasets HTTP/1.1\r\n" + kAuth + "Content-Length: 100\r\n\r\n{");
  EXPECT_EQ(body.Read().status, 408);
  Client idle(server_->port());
  idle.Send(Ask("GET", "/healthz"));
  EXPECT_EQ(idle.Read().status, 200);
  EXPECT_TRUE(idle.Closed(2000));
}

TEST_F(ServerTest, TurnsAwayTooManyConnections) {
  options_.limits.connections = 2;
  Start();
  Client first(server_->port());
  Client second(server_->port());
  first.Send(Ask("GET", "/healthz"));
  EXPECT_EQ(first.Read().status, 200);
  second.Send(Ask("GET", "/healthz"));
  EXPECT_EQ(second.Read().status, 200);
  Client third(server_->port());
  const auto answer = third.Read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.Header("Retry-After"), "1");
  first.Send(Ask("GET", "/healthz"));
  EXPECT_EQ(first.Read().status, 200);
}

TEST_F(ServerTest, LetsRequestsFinishWhenItStops) {
  Client idle(server_->port());
  idle.Send(Ask("GET", "/healthz"));
  EXPECT_EQ(idle.Read().status, 200);
  Client busy(server_->port());
  busy.Send(Ask("POST", "/v1/predict", R"({"model":"slow","input":[1,2,3]})"));
  serving_.WaitForRequest();
  std::jthread stop([this] { server_->Stop(); });
  EXPECT_TRUE(idle.Closed());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the other io thread hears of it, too
  serving_.Release();
  const auto answer = busy.Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("Connection"), "close");
  stop.join();
  Client late(server_->port());
  late.Send(Ask("GET", "/healthz"));
  EXPECT_EQ(late.Read().status, 0);
}

TEST_F(ServerTest, CountsRequests) {
  Call("GET", "/healthz");
  Call("POST", "/v1/predict", R"({"model":"digits","input":[1,0,0]})");
  const auto text = Call("GET", "/metrics").body;
  EXPECT_NE(text.find(R"(http_requests_total{handler="healthz",method="GET",status="200"} 1)"), std::string::npos)
      << text;
  EXPECT_NE(text.find("atelier_gateway_overhead_seconds_count 1"), std::string::npos);
  EXPECT_NE(text.find(R"(http_request_duration_seconds_count{handler="predict"} 1)"), std::string::npos);
}

TEST_F(ServerTest, StreamsEventsUntilTheJobEnds) {
  ASSERT_TRUE(jobs_.Create("train", {{"request", json::object()}}).ok());
  jobs_.Emit("job_1", "state", {{"state", "running"}}, jobs::State::kRunning);
  Client client(server_->port());
  client.Send(Ask("GET", "/v1/jobs/job_1/events", "", "Accept: text/event-stream\r\n"));
  auto text = client.ReadUntil("\"running\"");
  EXPECT_NE(text.find("Content-Type: text/event-stream"), std::string::npos);
  EXPECT_NE(text.find("id: 1\nevent: state\ndata: {\"object\":\"job.event\",\"sequence\":1"), std::string::npos)
      << text;
  const auto start = std::chrono::steady_clock::now();
  jobs_.Emit("job_1", "progress", {{"loss", 0.5}}, jobs::State::kRunning);
  client.ReadUntil("\"loss\"");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(900)) << "woken, not polled";
  jobs_.Emit("job_1", "state", {{"state", "succeeded"}}, jobs::State::kSucceeded);
  text = client.ReadUntil("\r\n0\r\n\r\n");
  EXPECT_NE(text.find("id: 3\nevent: state"), std::string::npos);
  Client again(server_->port());
  again.Send(Ask("GET", "/v1/jobs/job_1/events", "", "Accept: text/event-stream\r\nLast-Event-ID: 2\r\n"));
  text = again.ReadUntil("\r\n0\r\n\r\n");
  EXPECT_EQ(text.find("id: 2"), std::string::npos);
  EXPECT_NE(text.find("id: 3"), std::string::npos);
}

TEST_F(ServerTest, EndsStreamsWhenTheClientOrTheServerGoes) {
  ASSERT_TRUE(jobs_.Create("train", {}).ok());
  jobs_.Emit("job_1", "state", {{"state", "running"}}, jobs::State::kRunning);
  auto gauge = [this] { return Call("GET", "/metrics").body.find("http_connections 1\n") != std::string::npos; };
  {
    Client client(server_->port());
    client.Send(Ask("GET", "/v1/jobs/job_1/events", "", "Accept: text/event-stream\r\n"));
    client.ReadUntil("running");
  }
  bool gone = false;
  for (int i = 0; i < 50 && !gone; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    gone = gauge();
  }
  EXPECT_TRUE(gone);
  Client stays(server_->port());
  stays.Send(Ask("GET", "/v1/jobs/job_1/events", "", "Accept: text/event-stream\r\n"));
  stays.ReadUntil("running");
  server_->Stop();
  EXPECT_NE(stays.ReadUntil("\r\n0\r\n\r\n").find("\r\n0\r\n\r\n"), std::string::npos);
}

TEST_F(ServerTest, SaysWhyItCannotStart) {
  Options options;
  options.port = server_->port();
  Services services{keys_,    *datasets_, *files_, *blobs_, jobs_, *registry_, serving_,
                    metrics_, clock_,     rng_,    "",      "",    ""};
  EXPECT_FALSE(Server::Start(services, options).ok());
  options.host = "not a host";
  EXPECT_EQ(Server::Start(services, options).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace atelier::api
