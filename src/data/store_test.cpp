#include "data/store.h"

#include <gmock/gmock.h>

#include "data/files.h"
#include "data/testing/fake_blob_store.h"

namespace atelier::data {
namespace {

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = std::filesystem::temp_directory_path() / ("atelier_store_test." + std::to_string(::getpid()));
    Clear();
    auto catalogue = storage::OpenSqliteCatalogue(file_, Migrations());
    ASSERT_TRUE(catalogue.ok()) << catalogue.error().message;
    catalogue_ = std::move(catalogue).value();
    store_ = std::make_unique<Store>(*catalogue_, clock_, rng_);
    files_ = std::make_unique<Files>(*catalogue_, blobs_, clock_, rng_);
  }
  void TearDown() override {
    store_.reset();
    files_.reset();
    catalogue_.reset();
    Clear();
  }
  void Clear() {
    for (const auto* ending : {"", "-wal", "-shm", "-journal"}) {
      std::filesystem::remove(file_.string() + ending);
    }
  }

  Result<DatasetVersion> Add(const std::string& name, std::optional<int64_t> parent = std::nullopt) {
    DatasetVersion out;
    ATELIER_TRY(catalogue_->Write([&](soci::session& session) -> Status {
      ATELIER_ASSIGN(version,
                     store_->AddVersion(session, name, {{std::string(64, 'a'), 5'000'000'000}, 7, "job_1", parent}));
      out = version;
      return {};
    }));
    return out;
  }

  std::filesystem::path file_;
  testing::FakeBlobStore blobs_;
  ManualClock clock_;
  SystemRng rng_;
  std::unique_ptr<storage::Catalogue> catalogue_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Files> files_;
};

TEST_F(StoreTest, CountsVersions) {
  ASSERT_TRUE(Add("iris").ok());
  auto second = Add("iris", 1);
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_EQ(second->version, 2);
  const auto latest = store_->GetVersion("iris", 0);
  ASSERT_TRUE(latest.ok()) << latest.error().message;
  EXPECT_EQ(latest->version, 2);
  EXPECT_EQ(latest->manifest.size, 5'000'000'000U);
  EXPECT_EQ(latest->parent_version, 1);
  EXPECT_EQ(latest->rows, 7);
  EXPECT_EQ(store_->GetVersion("iris", 1)->parent_version, std::nullopt);
  EXPECT_EQ(store_->GetVersion("iris", 3).error().reason, "dataset_version_not_found");
  EXPECT_EQ(store_->GetVersion("wine", 0).error().reason, "dataset_not_found");
  EXPECT_EQ(store_->Versions("iris")->size(), 2U);
  EXPECT_EQ(store_->Get(store_->Get("iris")->id)->latest_version, 2);
  EXPECT_FALSE(Add("../x").ok());
  ASSERT_TRUE(store_->Delete("iris").ok());
  EXPECT_EQ(store_->Get("iris").error().reason, "dataset_not_found");
  EXPECT_EQ(store_->Delete("iris").error().code, Code::kNotFound);
  EXPECT_EQ(Add("iris")->version, 1);
}

TEST_F(StoreTest, Pages) {
  for (const auto* name : {"a", "b", "c", "d", "e"}) {
    ASSERT_TRUE(Add(name).ok());
    clock_.AdvanceMs(1);
  }
  bool more = false;
  Page page{.after = "", .limit = 2, .descending = true};
  auto list = store_->List(page, more);
  ASSERT_TRUE(list.ok()) << list.error().message;
  EXPECT_TRUE(more);
  EXPECT_EQ((*list)[0].name, "e");
  page.after = (*list)[1].id;
  page.limit = 3;
  list = store_->List(page, more);
  EXPECT_FALSE(more);
  EXPECT_EQ((*list)[2].name, "a");
  page = {.after = "", .limit = 1, .descending = false};
  EXPECT_EQ((*store_->List(page, more))[0].name, "a");
  page.after = "dset_none";
  EXPECT_EQ(store_->List(page, more).error().code, Code::kInvalidArgument);
  page.limit = 0;
  EXPECT_EQ(store_->List(page, more).error().param, "limit");
}

TEST_F(StoreTest, KeepsFiles) {
  const auto blob = blobs_.Put("hello");
  const auto file = files_->Add("a/b\\c\n.csv", "dataset", blob);
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->filename, "a_b_c_.csv");
  EXPECT_EQ(files_->Get(file->id)->blob, blob);
  clock_.AdvanceMs(5);
  ASSERT_TRUE(files_->Add(std::string(300, 'x'), "batch", blob).ok());
  bool more = false;
  EXPECT_EQ(files_->List("", {}, more)->size(), 2U);
  EXPECT_EQ(files_->List("dataset", {}, more)->size(), 1U);
  EXPECT_EQ((*files_->List("batch", {}, more))[0].filename.size(), 255U);
  EXPECT_EQ(files_->Add("x", "evil", blob).error().param, "purpose");
  ASSERT_TRUE(files_->Delete(file->id).ok());
  EXPECT_EQ(files_->Get(file->id).error().reason, "file_not_found");
  EXPECT_EQ(files_->Delete(file->id).error().reason, "file_not_found");
}

TEST_F(StoreTest, JoinsUploadsOnce) {
  const std::string sha256 = Sha256Hex("hello world");
  auto upload = files_->CreateUpload("a.csv", "dataset", 11, sha256);
  ASSERT_TRUE(upload.ok()) << upload.error().message;
  const auto second = files_->AddPart(upload->id, blobs_.Put("world"));
  ASSERT_TRUE(second.ok()) << second.error().message;
  // A client that lost its connection finds what is there.
  const auto resumed = files_->CreateUpload("a.csv", "dataset", 11, sha256);
  EXPECT_EQ(resumed->id, upload->id);
  ASSERT_EQ(resumed->parts.size(), 1U);
  EXPECT_EQ(resumed->parts[0].id, second->id);
  EXPECT_NE(files_->CreateUpload("b.csv", "dataset", 11, sha256)->id, upload->id);
  const auto first = files_->AddPart(upload->id, blobs_.Put("hello "));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(files_->AddPart(upload->id, blobs_.Put("!")).error().reason, "size_mismatch");

  EXPECT_EQ(files_->Complete(upload->id, {first->id}, "").error().reason, "size_mismatch");
  EXPECT_FALSE(files_->Complete(upload->id, {first->id, first->id}, "").ok());
  EXPECT_FALSE(files_->Complete(upload->id, {"part_none", first->id}, "").ok());
  EXPECT_EQ(files_->Complete(upload->id, {second->id, first->id}, "").error().reason, "checksum_mismatch");
  EXPECT_EQ(files_->Complete(upload->id, {first->id, second->id}, std::string(64, 'a')).error().reason,
            "checksum_mismatch");
  const auto file = files_->Complete(upload->id, {first->id, second->id}, "");
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->blob, (storage::BlobRef{sha256, 11}));
  EXPECT_EQ(files_->Complete(upload->id, {first->id, second->id}, "")->id, file->id);
  EXPECT_EQ(files_->Complete(upload->id, {second->id, first->id}, "").error().reason, "upload_not_pending");
  EXPECT_EQ(files_->GetUpload(upload->id)->status, "completed");
  EXPECT_EQ(files_->GetUpload(upload->id)->file_id, file->id);
  EXPECT_EQ(files_->Cancel(upload->id).error().reason, "upload_not_pending");
  EXPECT_NE(files_->CreateUpload("a.csv", "dataset", 11, sha256)->id, upload->id);
}

TEST_F(StoreTest, EndsUploads) {
  const auto upload = files_->CreateUpload("a.csv", "dataset", 5, "");
  ASSERT_TRUE(files_->Cancel(upload->id).ok());
  EXPECT_TRUE(files_->Cancel(upload->id).ok());
  EXPECT_EQ(files_->AddPart(upload->id, blobs_.Put("x")).error().reason, "upload_not_pending");
  const auto late = files_->CreateUpload("a.csv", "dataset", 5, "");
  clock_.AdvanceMs(late->expires_ms - late->created_ms);
  EXPECT_EQ(files_->GetUpload(late->id)->status, "expired");
  EXPECT_EQ(files_->AddPart(late->id, blobs_.Put("x")).error().code, Code::kFailedPrecondition);
  EXPECT_EQ(files_->GetUpload("upload_none").error().reason, "upload_not_found");
  EXPECT_EQ(files_->CreateUpload("a", "dataset", 5, "ABC").error().param, "sha256");
  EXPECT_FALSE(files_->CreateUpload("a", "dataset", ~0ULL, "").ok());
}

TEST(ReferenceTest, Parses) {
  EXPECT_EQ(ParseReference("iris", "data")->version, 0);
  EXPECT_EQ(ParseReference("iris@latest", "data")->version, 0);
  EXPECT_EQ(ParseReference("鸢尾花@12", "data")->version, 12);
  for (const auto* text :
       {"", "@1", "iris@", "iris@0", "iris@-1", "iris@1x", "iris@1@2", "a/b", "iris@99999999999999999999"}) {
    EXPECT_EQ(ParseReference(text, "data").error().param, "data") << text;
  }
}

}  // namespace
}  // namespace atelier::data
