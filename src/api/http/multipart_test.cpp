#include "api/http/multipart.h"

#include <gtest/gtest.h>

#include "api/http/form.h"
#include "api/http/sse.h"

namespace atelier::api::http {
namespace {

struct Part {
  PartHeader header;
  std::string data;
  bool ended = false;
};

struct Collector final : PartSink {
  std::vector<Part> parts;
  Status OnPart(PartHeader header) override {
    parts.push_back({std::move(header), "", false});
    return {};
  }
  Status OnData(std::string_view data) override {
    parts.back().data += data;
    return {};
  }
  Status OnPartEnd() override {
    parts.back().ended = true;
    return {};
  }
};

Status ParseInPieces(const std::string& boundary, const std::string& body, size_t piece, Collector& collector) {
  MultipartParser parser(boundary, collector);
  for (size_t at = 0; at < body.size(); at += piece) {
    ATELIER_TRY(parser.Feed(std::string_view(body).substr(at, piece)));
  }
  return parser.Finish();
}

const std::string kBody =
    "preamble\r\n--B\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\ndataset\r\n"
    "--B \t\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\" c.csv\"\r\nContent-Type: "
    "text/csv\r\n\r\n"
    "x,y\r\n1,2\r\n--Cat\r--\r\n-B\r\n\r\n--B\r\nContent-Disposition: form-data; "
    "name=empty\r\n\r\n\r\n--B--\r\nepilogue";

const std::string& Sample() { return kBody; }

void ExpectSample(const Collector& collector) {
  ASSERT_EQ(collector.parts.size(), 3U);
  EXPECT_EQ(collector.parts[0].header.name, "purpose");
  EXPECT_FALSE(collector.parts[0].header.filename.has_value());
  EXPECT_EQ(collector.parts[0].data, "dataset");
  EXPECT_EQ(*collector.parts[1].header.filename, "a \"b\" c.csv");
  EXPECT_EQ(collector.parts[1].header.content_type, "text/csv");
  EXPECT_EQ(collector.parts[1].data, "x,y\r\n1,2\r\n--Cat\r--\r\n-B\r\n");
  EXPECT_EQ(collector.parts[2].header.name, "empty");
  EXPECT_EQ(collector.parts[2].data, "");
  EXPECT_TRUE(collector.parts[2].ended);
}

TEST(MultipartParser, GivesTheSameForEveryPieceSize) {
  const std::string body = Sample();
  for (size_t piece = 1; piece <= body.size(); ++piece) {
    Collector collector;
    ASSERT_TRUE(ParseInPieces("B", body, piece, collector).ok()) << piece;
    ExpectSample(collector);
  }
}

TEST(MultipartParser, GivesTheSameForEverySplit) {
  const std::string body = Sample();
  for (size_t at = 0; at <= body.size(); ++at) {
    Collector collector;
    MultipartParser parser("B", collector);
    ASSERT_TRUE(parser.Feed(std::string_view(body).substr(0, at)).ok());
    ASSERT_TRUE(parser.Feed(std::string_view(body).substr(at)).ok());
    ASSERT_TRUE(parser.Finish().ok());
    ExpectSample(collector);
  }
}

TEST(MultipartParser, NoticesEveryCut) {
  const std::string body = Sample();
  const size_t whole = body.find("--B--") + 5;
  for (size_t length = 0; length < whole; ++length) {
    Collector collector;
    EXPECT_FALSE(ParseInPieces("B", body.substr(0, length), 7, collector).ok()) << length;
  }
}

TEST(MultipartParser, RefusesBadParts) {
  const auto part = [](const std::string& header) { return "--B\r\n" + header + "\r\n\r\nx\r\n--B--"; };
  for (const std::string& bad :
       {part("Content-Disposition: form-data"), part("Content-Disposition: attachment; name=a"), part("X: y"),
        part("Content-Disposition: form-data; name=\"a"), part("Content-Disposition: form-data; name=a; name=b"),
        part("Content-Disposition: form-data; name=\"\xff\""), part("nothing"), part(" folded: x"),
        part("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64"), std::string("--Bx\r\n"),
        std::string("--B\r\n\r\nx\r\n--B--"), "--B" + std::string(1000, ' ') + "\r\n"}) {
    Collector collector;
    EXPECT_FALSE(ParseInPieces("B", bad, 3, collector).ok()) << bad;
  }
}

TEST(MultipartParser, BoundsPartsAndHeaders) {
  std::string body;
  for (int i = 0; i < 1001; ++i) {
    body += "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n";
  }
  Collector collector;
  EXPECT_EQ(ParseInPieces("B", body + "--B--", 4096, collector).error().reason, "request_too_large");
  Collector other;
  MultipartParser parser("B", other);
  ASSERT_TRUE(parser.Feed("--B\r\nX: ").ok());
  Status status;
  for (int i = 0; i < 20 && status.ok(); ++i) {
    status = parser.Feed(std::string(1024, 'x'));
  }
  EXPECT_EQ(status.error().reason, "request_too_large");
}

TEST(BoundaryOf, TakesGoodOnes) {
  EXPECT_EQ(*BoundaryOf("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(*BoundaryOf("Multipart/Form-Data ; charset=utf-8; Boundary=\"a b:c\""), "a b:c");
  EXPECT_EQ(BoundaryOf("multipart/form-data; boundary=" + std::string(70, 'x'))->size(), 70U);
}

TEST(BoundaryOf, RefusesBadOnes) {
  for (const std::string& bad :
       {std::string("multipart/form-data"), std::string("multipart/form-data; boundary="),
        std::string("multipart/form-data; boundary=----"), std::string("multipart/form-data; boundary=\"a"),
        std::string("multipart/form-data; boundary=\"a \""), std::string("multipart/form-data; boundary=a; boundary=b"),
        std::string("multipart/form-data; boundary=a<b"), "multipart/form-data; boundary=" + std::string(71, 'x'),
        std::string("multipart/mixed; boundary=a")}) {
    EXPECT_FALSE(BoundaryOf(bad).ok()) << bad;
  }
}

TEST(FormReader, KeepsFieldsAndFilesApart) {
  FormReader reader("B", "file", nullptr, {});
  ASSERT_TRUE(reader.Feed(Sample()).ok());
  auto form = reader.Finish();
  ASSERT_TRUE(form.ok());
  EXPECT_EQ(*form->Field("purpose"), "dataset");
  EXPECT_EQ(*form->FieldOr("none", "x"), "x");
  EXPECT_FALSE(form->Field("none").ok());
  EXPECT_EQ((*form->File("file"))->bytes, 24U);
  EXPECT_FALSE(form->RejectUnknown({"purpose", "file"}).ok());
  EXPECT_TRUE(form->RejectUnknown({"purpose", "file", "empty"}).ok());
}

TEST(FormReader, StopsAtItsLimits) {
  FormLimits limits;
  limits.file_bytes = 3;
  limits.field_bytes = 4;
  const std::string file = "--B\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n";
  FormReader good("B", "file", nullptr, limits);
  EXPECT_TRUE(good.Feed(file + "abc\r\n--B--").ok());
  FormReader large("B", "file", nullptr, limits);
  EXPECT_EQ(large.Feed(file + "abcd\r\n--B--").error().reason, "request_too_large");
  FormReader field("B", "file", nullptr, limits);
  EXPECT_EQ(field.Feed("--B\r\nContent-Disposition: form-data; name=a\r\n\r\nabcde\r\n--B--").error().reason,
            "request_too_large");
}

TEST(FormatEvent, MakesOneLineOfData) {
  EXPECT_EQ(FormatEvent(7, "state", R"({"a":1})"), "id: 7\nevent: state\ndata: {\"a\":1}\n\n");
  EXPECT_EQ(FormatEvent(std::nullopt, "", "a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
}

}  // namespace
}  // namespace atelier::api::http
