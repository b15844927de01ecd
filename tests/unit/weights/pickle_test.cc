#include "weights_converter/pickle.h"

#include <gtest/gtest.h>

#include "checkpoint_files.h"
#include "impasto/error.h"

namespace impasto {
namespace {

using Kind = Pickle::Kind;

Pickle read(const std::string& bytes) { return Pickle(std::as_bytes(std::span(bytes)), "a.pth"); }

std::string refusal(const std::string& bytes) {
  try {
    read(bytes);
  } catch (const WeightError& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    EXPECT_EQ(std::string(error.what()).find("a.pth: "), 0u) << error.what();
    return error.what();
  }
  return "read without complaint";
}

bool says(const std::string& message, const std::string& part) { return message.find(part) != std::string::npos; }

TEST(Pickle, ReadsPlainValues) {
  const Pickle pickle = read(std::string("\x80\x02](K\x07M\x01\x02J\xff\xff\xff\xff\x8a\x02\x00\x80X\x02\0\0\0hiN\x88\x86\x85", 29) + "e.");
  const auto& items = pickle.root().items;
  ASSERT_EQ(items.size(), 6u);
  EXPECT_EQ(pickle.at(items[0]).integer, 7);
  EXPECT_EQ(pickle.at(items[1]).integer, 513);
  EXPECT_EQ(pickle.at(items[2]).integer, -1);
  EXPECT_EQ(pickle.at(items[3]).integer, -32768);
  EXPECT_EQ(pickle.at(items[4]).text, "hi");
  const auto& nested = pickle.at(items[5]);
  EXPECT_EQ(nested.kind, Kind::kTuple);
  ASSERT_EQ(nested.items.size(), 1u);
  EXPECT_EQ(pickle.at(nested.items[0]).items.size(), 2u);
  EXPECT_EQ(pickle.length(), 31u);
}

TEST(Pickle, RemembersAndRecalls) {
  const Pickle pickle = read(testing::pickle::program("(" + testing::pickle::text("a") + "q\x05h\x05j" + testing::little(5, 4) + "t"));
  ASSERT_EQ(pickle.root().items.size(), 3u);
  for (const auto index : pickle.root().items) EXPECT_EQ(pickle.at(index).text, "a");
}

TEST(Pickle, OrderedDictFromPythonTwo) {
  const std::string pairs = "](](" + testing::pickle::text("k") + "K\x01" + "ee";
  const Pickle pickle = read(testing::pickle::program(testing::pickle::global("collections", "OrderedDict") + pairs + "\x85R"));
  EXPECT_EQ(pickle.root().kind, Kind::kDict);
  ASSERT_EQ(pickle.root().items.size(), 2u);
  EXPECT_EQ(pickle.at(pickle.root().items[0]).text, "k");
}

TEST(Pickle, RefusesToCallAnything) {
  using testing::pickle::global;
  using testing::pickle::program;
  using testing::pickle::text;
  // os.system("touch harm"), as protocols 0, 2 and 4 write it.
  EXPECT_TRUE(says(refusal("cos\nsystem\n(S'touch harm'\ntR."), "asks for os.system"));
  EXPECT_TRUE(says(refusal(program(global("posix", "system") + text("touch harm") + "\x85R")), "asks for posix.system"));
  const std::string by_stack = std::string("\x8c\x02os\x8c\x06system\x93", 13) + text("touch harm") + "\x85R.";
  EXPECT_TRUE(says(refusal(by_stack), "asks for os.system"));
  EXPECT_TRUE(says(refusal(program(global("builtins", "eval") + text("1") + "\x85R")), "asks for builtins.eval"));
  EXPECT_TRUE(says(refusal(program(global("torch._utils", "_rebuild_device_tensor_from_numpy"))), "asks for torch._utils._rebuild_device"));
  // Names that are allowed, used for what they are not.
  EXPECT_TRUE(says(refusal(program(global("torch", "FloatStorage") + ")R")), "calls torch.FloatStorage"));
  EXPECT_TRUE(says(refusal(program(global("torch", "FloatStorage") + ")\x81")), "makes an object of type torch.FloatStorage"));
  EXPECT_TRUE(says(refusal(program(text("os.system") + ")R")), "no function"));
  EXPECT_TRUE(says(refusal(program("]Nb")), "state"));
  // Opcodes that import by other roads: INST, OBJ, EXT1.
  EXPECT_TRUE(says(refusal("(S'x'\nios\nsystem\n."), "opcode 83"));
  EXPECT_TRUE(says(refusal("(ios\nsystem\n."), "opcode 105"));
  EXPECT_TRUE(says(refusal("(o."), "opcode 111"));
  EXPECT_TRUE(says(refusal("\x82\x01."), "opcode 130"));
}

TEST(Pickle, NamesInMessagesAreMadeFitToPrint) {
  const std::string message = refusal("c\x1b[31mos\nsys\ttem\n.");
  EXPECT_TRUE(says(message, "\\x1b[31mos.sys\\x09tem")) << message;
}

TEST(Pickle, RefusesBrokenPrograms) {
  using testing::little;
  using testing::pickle::program;
  for (const std::string& body :
       {std::string("t"), std::string("\x85"), std::string("(0"), std::string("h\x01"), std::string("K\x01K\x02s"),
        std::string("]K\x01K\x02s"), std::string("}(K\x01u"),
        std::string("}K\x01"
                    "a"),
        std::string("Q"), std::string("K\x01Q"), std::string(")Q"), std::string(")R"), std::string("q\x01"), std::string("(q\x01"),
        std::string("K\x01(R"), std::string("b"), std::string("\x81"), std::string("\x93"), std::string("K\x01K\x02\x93")}) {
    EXPECT_TRUE(says(refusal(program(body)), "pickle ")) << ::testing::PrintToString(body);
  }
  EXPECT_TRUE(says(refusal(""), "cut short"));
  EXPECT_TRUE(says(refusal("\x80"), "cut short"));
  EXPECT_TRUE(says(refusal("\x80\x09."), "protocol"));
  EXPECT_TRUE(says(refusal("X" + little(0xffffffff, 4) + "abc"), "cut short"));
  EXPECT_TRUE(says(refusal("T" + little(0x7fffffff, 4)), "cut short"));
  EXPECT_TRUE(says(refusal("ctorch"), "cut short"));
  EXPECT_TRUE(says(refusal("K\x01"), "cut short"));
}

TEST(Pickle, DeepNestingNeedsNoStackOfOurs) {
  const Pickle pickle = read(")" + std::string(500000, '\x85') + ".");
  EXPECT_EQ(pickle.root().kind, Kind::kTuple);
}

// A long list recalled again and again as the contents of dictionaries would take memory in proportion to the product.
TEST(Pickle, RepetitionIsBounded) {
  std::string bytes = "](";
  for (int i = 0; i < 20000; ++i) bytes += "K\x01K\x02\x86";
  bytes += std::string("eq\x01") + "0";
  const std::string call = testing::pickle::global("collections", "OrderedDict") + "h\x01\x85R0";
  for (int i = 0; i < 20000; ++i) bytes += call;
  EXPECT_TRUE(says(refusal(bytes + "N."), "too large")) << refusal(bytes + "N.");
}

}  // namespace
}  // namespace impasto
