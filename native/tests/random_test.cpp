// Philox against its authors' known answers and a plain implementation; the counter's layout; uniform's range.
#include "core/random.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <set>

namespace lanes = swarmgrad::SWARMGRAD_TARGET;
using lanes::Block;
using lanes::Int;
using lanes::lane_count;
using swarmgrad::Purpose;
using swarmgrad::Stream;

namespace {

using Words = std::array<uint32_t, 4>;

// The definition, as in the paper.
Words plain_philox(Words counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xd2511f53} * counter[0], product1 = uint64_t{0xcd9e8d57} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key0, static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key1, static_cast<uint32_t>(product0)};
    key0 += 0x9e3779b9;
    key1 += 0xbb67ae85;
  }
  return counter;
}

Int broadcast(uint32_t value) { return Int(static_cast<int32_t>(value)); }

Words words_of_lane(const Block &block, int i) {
  Words words;
  for (int k = 0; k < 4; ++k) words[static_cast<std::size_t>(k)] = static_cast<uint32_t>(lane(block.word[k], i));
  return words;
}

}  // namespace

TEST_CASE("known answers of Random123") {
  struct Answer {
    Words counter;
    uint32_t key0, key1;
    Words expected;
  };
  const Answer answers[] = {
      {{0, 0, 0, 0}, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       0xffffffff,
       0xffffffff,
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       0xa4093822,
       0x299f31d0,
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const Answer &answer : answers) {
    CHECK(plain_philox(answer.counter, answer.key0, answer.key1) == answer.expected);
    const Words &c = answer.counter;
    const Block block =
        lanes::philox({{broadcast(c[0]), broadcast(c[1]), broadcast(c[2]), broadcast(c[3])}}, answer.key0, answer.key1);
    for (int i = 0; i < lane_count; ++i) CHECK(words_of_lane(block, i) == answer.expected);
  }
}

TEST_CASE("every lane is its own counter") {
  for (uint32_t trial = 0; trial < 1000; ++trial) {
    const Words start = plain_philox({trial, 1, 2, 3}, 4, 5);
    const Int offset = lanes::lane_index() * broadcast(0x9e3779b1);
    Block counter;
    for (std::size_t k = 0; k < 4; ++k) counter.word[k] = broadcast(start[k]) + offset;
    const Block block = lanes::philox(counter, start[1], start[2]);
    for (int i = 0; i < lane_count; ++i) {
      const uint32_t add = static_cast<uint32_t>(i) * 0x9e3779b1u;
      const Words words = {start[0] + add, start[1] + add, start[2] + add, start[3] + add};
      CHECK(words_of_lane(block, i) == plain_philox(words, start[1], start[2]));
    }
  }
}

TEST_CASE("the counter's fields") {
  const Block block =
      lanes::counter(lanes::lane_index() + Int(100), 0xfffffffe, 7, 4095, Purpose::initialisation, 65535);
  for (int i = 0; i < lane_count; ++i) {
    CHECK(words_of_lane(block, i) == Words{100u + static_cast<uint32_t>(i), 0xfffffffe, 7, 0xffffffff});
  }
  const Block other = lanes::counter(Int(0), 0, 0, 5, Purpose::environment, 3);
  CHECK(words_of_lane(other, 0) == Words{0, 0, 0, 5u << 20 | 2u << 16 | 3u});
}

TEST_CASE("training, evaluation and record never share a purpose") {
  std::set<Purpose> seen = {Purpose::initialisation};
  for (Stream stream : {Stream::training, Stream::evaluation, Stream::record}) {
    for (Purpose purpose : {Purpose::act, Purpose::reset, Purpose::environment}) {
      const Purpose combined = lanes::in_stream(purpose, stream);
      CHECK(static_cast<uint32_t>(combined) < 16);
      CHECK(seen.insert(combined).second);
    }
  }
}

TEST_CASE("uniform is the top 24 bits over 2^24") {
  for (uint32_t bits : {0u, 255u, 256u, 0x7fffffffu, 0x80000000u, 0xffffff00u, 0xffffffffu, 0x12345678u}) {
    const float expected = static_cast<float>(static_cast<double>(bits >> 8) / 16777216.0);
    for (int i = 0; i < lane_count; ++i) CHECK(lane(lanes::uniform(broadcast(bits)), i) == expected);
    CHECK(expected < 1.0f);
  }
}
