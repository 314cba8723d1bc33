// Every field of generation.h survives the way there and back: both sides are compared as messages, after one and two
// ways, with every field set to what no default is.
#include "serving/generative_wire.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

namespace atelier::serving {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

void Set(Message& message, const FieldDescriptor& field, int salt);

// Sets every field, of a oneof the one numbered `choice`.
void Fill(Message& message, int choice, int salt) {
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor& field = *descriptor->field(i);
    if (const auto* group = field.real_containing_oneof(); group == nullptr || group->field(choice) == &field) {
      Set(message, field, salt + i);
    }
  }
}

void FillChild(Message& child, int salt) { Fill(child, salt % 3, salt); }

void SetOne(Message& message, const FieldDescriptor& field, int salt) {
  const auto* reflection = message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->SetInt32(&message, &field, 100 + salt);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection->SetInt64(&message, &field, (int64_t{1} << 40) + salt);
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection->SetUInt64(&message, &field, ~uint64_t{0} - static_cast<uint64_t>(salt));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reflection->SetFloat(&message, &field, 0.5F + static_cast<float>(salt));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->SetBool(&message, &field, true);
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection->SetEnumValue(&message, &field, 1 + salt % (field.enum_type()->value_count() - 1));
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection->SetString(&message, &field,
                                   field.type() == FieldDescriptor::TYPE_BYTES ? "\xff\xc3" + std::to_string(salt)
                                                                               : "text " + std::to_string(salt));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return FillChild(*reflection->MutableMessage(&message, &field), salt);
    default:
      FAIL() << field.full_name();
  }
}

void Add(Message& message, const FieldDescriptor& field, int salt) {
  const auto* reflection = message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->AddInt32(&message, &field, 200 + salt);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reflection->AddFloat(&message, &field, 0.25F + static_cast<float>(salt));
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection->AddString(&message, &field, "\xfe" + std::to_string(salt));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return FillChild(*reflection->AddMessage(&message, &field), salt);
    default:
      FAIL() << field.full_name();
  }
}

void Set(Message& message, const FieldDescriptor& field, int salt) {
  if (field.is_repeated()) {
    Add(message, field, salt);
    Add(message, field, salt + 1);
  } else {
    SetOne(message, field, salt);
  }
}

template <class T>
T Value(Result<T> result) {
  EXPECT_TRUE(result.ok());
  return std::move(result).value();
}
template <class T>
T Value(T plain) {
  return plain;
}

template <class Wire>
void ComesBack(int choice = 0, int salt = 0) {
  Wire message;
  Fill(message, choice, salt);
  const Wire again = ToWire(Value(FromWire(message)));
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(message, again))
      << message.DebugString() << "\nbecame\n"
      << again.DebugString();
}

TEST(GenerativeWire, EveryFieldComesBack) {
  for (int salt = 0; salt < 12; ++salt) {  // among them every kind of prompt, delta and reason
    ComesBack<pb::GenerateRequest>(0, salt);
    ComesBack<pb::EmbedRequest>(0, salt);
    ComesBack<pb::RerankRequest>(0, salt);
    ComesBack<pb::TokenizeRequest>(0, salt);
    ComesBack<pb::Usage>(0, salt);
    ComesBack<pb::EmbedResponse>(0, salt);
    ComesBack<pb::RerankResponse>(0, salt);
    ComesBack<pb::TokenizeResponse>(0, salt);
    ComesBack<pb::Generative>(0, salt);
    pb::Delta delta;
    Fill(delta, 0, salt);
    pb::Delta again;
    ToWire(FromWire(delta), again);
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(delta, again)) << delta.DebugString();
  }
}

TEST(GenerativeWire, WhatIsAbsentStaysAbsent) {
  engine::GenerationRequest request;
  request.prompt = engine::TextPrompt{"a", false};
  const auto back = FromWire(ToWire(request));
  ASSERT_TRUE(back.ok());
  EXPECT_FALSE(back->prompt_logprobs);
  EXPECT_FALSE(back->sampling.top_logprobs);
  EXPECT_EQ(back->sampling.dry.last_n, -1);
  EXPECT_EQ(back->choices, 1);
  EXPECT_TRUE(back->skip_special_tokens);
  EXPECT_FALSE(std::get<engine::TextPrompt>(back->prompt).add_special);
  pb::Delta delta;
  ToWire(engine::GenerationDelta{}, delta);
  EXPECT_FALSE(FromWire(delta).stop_token);
}

TEST(GenerativeWire, RefusesWhatIsNoRequest) {
  EXPECT_EQ(FromWire(pb::GenerateRequest()).error().param, "prompt");
  EXPECT_FALSE(FromWire(pb::TokenizeRequest()).ok());
  pb::EmbedRequest embed;
  embed.add_inputs();
  EXPECT_FALSE(FromWire(embed).ok());
  pb::GenerateRequest request;
  request.mutable_prompt()->mutable_text()->set_text("a");
  request.mutable_constraint()->set_kind(static_cast<pb::Constraint::Kind>(99));
  EXPECT_FALSE(FromWire(request).ok());
  pb::Delta delta;
  delta.set_kind(static_cast<pb::Delta::Kind>(99));
  delta.set_finish(static_cast<pb::Delta::FinishReason>(99));
  EXPECT_EQ(FromWire(delta).kind, engine::GenerationDelta::Kind::kContent);
  EXPECT_EQ(FromWire(delta).finish, engine::FinishReason::kError);
}

}  // namespace
}  // namespace atelier::serving
