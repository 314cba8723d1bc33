// A whole server on a free port, over a temporary folder.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "api/server.h"
#include "api/testing/client.h"
#include "api/testing/fakes.h"
#include "base/json.h"
#include "base/metrics.h"
#include "data/files.h"
#include "data/store.h"
#include "data/traffic/recorder.h"
#include "registry/registry.h"
#include "storage/blob_store.h"
#include "storage/catalogue.h"

namespace atelier::api::test {

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "atelier_api_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    std::vector<storage::Migration> migrations;
    for (const auto& list : {data::Migrations(), registry::Migrations()}) {
      migrations.insert(migrations.end(), list.begin(), list.end());
    }
    catalogue_ = storage::OpenSqliteCatalogue(directory_ / "catalogue.db", migrations).value();
    blobs_ = storage::OpenFolderBlobStore(directory_ / "blobs").value();
    datasets_ = std::make_unique<data::Store>(*catalogue_, clock_, rng_);
    files_ = std::make_unique<data::Files>(*catalogue_, *blobs_, clock_, rng_);
    traffic_ = std::make_unique<data::TrafficStore>(*catalogue_, clock_);
    recorder_ = std::make_unique<data::Recorder>(*traffic_, clock_, rng_, metrics_);
    registry_ = std::make_unique<registry::Registry>(*catalogue_, clock_, rng_);
    options_.port = 0;
    options_.io_threads = 2;
    options_.limits.drain_ms = 2000;
    Start();
  }
  void TearDown() override {
    server_.reset();
    recorder_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  void Start() {
    server_.reset();
    Services services{
        keys_,  *datasets_,           *files_,           *blobs_, jobs_, *registry_, serving_, metrics_, clock_, rng_,
        "test", directory_ / "blobs", "openapi: 3.0.3\n"};
    services.traffic = traffic_.get();
    services.recorder = recorder_.get();
    server_ = Server::Start(services, options_).value();
  }

  // A request with a good key; `fields` are further header lines.
  static std::string Ask(const std::string& method, const std::string& target, const std::string& body = "",
                         const std::string& fields = "", const std::string& key = "good") {
    return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + key + "\r\n" + fields +
           (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") + "\r\n" + body;
  }
  Answer Call(const std::string& method, const std::string& target, const std::string& body = "",
              const std::string& fields = "", const std::string& key = "good") {
    Client client(server_->port());
    client.Send(Ask(method, target, body, fields, key));
    return client.Read(method == "HEAD");
  }
  static json::object Json(const Answer& answer) {
    auto value = ParseJson(answer.body);
    return value.ok() && value->is_object() ? value->get_object() : json::object();
  }
  static std::string Reason(const Answer& answer) {
    const auto body = Json(answer);
    const auto* error = body.if_contains("error");
    return error != nullptr && error->is_object() ? GetString(error->get_object(), "code") : "";
  }
  // A form with one file.
  static std::string Form(const std::string& field, const std::string& filename, const std::string& data,
                          const std::string& fields = "") {
    return fields + "--B\r\nContent-Disposition: form-data; name=\"" + field + "\"; filename=\"" + filename +
           "\"\r\nContent-Type: application/octet-stream\r\n\r\n" + data + "\r\n--B--\r\n";
  }
  static std::string FormField(const std::string& name, const std::string& value) {
    return "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
  }
  static constexpr const char* kForm = "Content-Type: multipart/form-data; boundary=B\r\n";

  std::filesystem::path directory_;
  SystemClock clock_;
  SystemRng rng_;
  Metrics metrics_;
  FakeKeys keys_;
  FakeJobs jobs_;
  FakeServing serving_;
  std::unique_ptr<storage::Catalogue> catalogue_;
  std::unique_ptr<storage::BlobStore> blobs_;
  std::unique_ptr<data::Store> datasets_;
  std::unique_ptr<data::Files> files_;
  std::unique_ptr<data::TrafficStore> traffic_;
  std::unique_ptr<data::Recorder> recorder_;
  std::unique_ptr<registry::Registry> registry_;
  Options options_;
  std::unique_ptr<Server> server_;
};

}  // namespace atelier::api::test
