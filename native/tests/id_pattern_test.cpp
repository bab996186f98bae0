// Ids that carry parameters: what a pattern reads, and what it must not.
#include "host/id_pattern.h"

#include <doctest/doctest.h>

#include "host/failure.h"

using namespace swarmgrad::host;

namespace {

enum { sight, size, players, coop, layout, parameters };

ParameterShape parameter(int index) {
  constexpr ParameterShape shapes[parameters] = {
      {"sight", 0, 0, 50, true, "", nullptr},
      {"size", 8, 3, 50, true, "", nullptr},
      {"players", 2, 1, 20, true, "", nullptr},
      {"coop", 0, 0, 1, true, "", nullptr},
      {"layout", 1, 0, 2, true, "", "ring|ring_long|line"},
  };
  return shapes[index];
}

EnvironmentTable table_with(const char *pattern) {
  EnvironmentTable table = {};
  table.id = "plain-v1";
  table.id_pattern = pattern;
  table.parameter_count = parameters;
  table.parameter = parameter;
  return table;
}

// What the pattern reads out of the id; empty where it does not read it.
std::vector<double> read(const char *pattern, const char *id) {
  std::vector<double> values;
  if (!read_id(table_with(pattern), id, values)) values.clear();
  return values;
}

constexpr const char *grid = "Grid[-{sight}s]-{size}x{size}-{players}p{coop?-coop}-v3";

}  // namespace

TEST_CASE("an id sets the parameters it names, the others keep their defaults") {
  CHECK(read(grid, "Grid-10x10-3p-v3") == std::vector<double>{0, 10, 3, 0, 1});
  CHECK(read(grid, "Grid-2s-8x8-12p-coop-v3") == std::vector<double>{2, 8, 12, 1, 1});
  CHECK(read(nullptr, "plain-v1") == std::vector<double>{0, 8, 2, 0, 1});
}

TEST_CASE("a choice is one of its names, also where one begins another") {
  CHECK(read("world_{layout}", "world_ring") == std::vector<double>{0, 8, 2, 0, 0});
  CHECK(read("world_{layout}", "world_ring_long") == std::vector<double>{0, 8, 2, 0, 1});
  CHECK(read("{layout}", "line") == std::vector<double>{0, 8, 2, 0, 2});
  CHECK(read("{layout}_{players}", "ring_5") == std::vector<double>{0, 8, 5, 0, 0});
}

TEST_CASE("what a pattern does not read") {
  for (const char *id :
       {"", "Grid", "Grid-10x9-3p-v3", "Grid-10x10-3p-v3 ", "Grid-x-3p-v3", "Grid-10x10-3p-coop-coop-v3",
        "Grid-10x10--3p-v3", "Grid-s-8x8-2p-v3", "Grid-10x10-1234567890p-v3", "grid-10x10-3p-v3"}) {
    CAPTURE(id);
    CHECK(read(grid, id).empty());
  }
  CHECK(read(nullptr, "plain-v2").empty());
  CHECK(read("world_{layout}", "world_square").empty());
}

TEST_CASE("patterns that are none are refused") {
  for (const char *pattern : {grid, "world_{layout}", "", static_cast<const char *>(nullptr)})
    CHECK_NOTHROW(check_pattern(table_with(pattern)));
  for (const char *pattern : {"Grid[-{size}", "Grid-{size", "Grid-{}", "Grid-{width}", "Grid-{width?w}", "Grid]",
                              "Grid}", "Grid[[-{size}]]", "Grid-{size[}]", "Grid-{si{size}}", "{", "["}) {
    CAPTURE(std::string(pattern));
    CHECK_THROWS_AS(check_pattern(table_with(pattern)), Failure);
  }
  CHECK_THROWS_WITH(check_pattern(table_with("Grid-{width}")),
                    "environment plain-v1: id_pattern 'Grid-{width}' is wrong from character 5 on; allowed: text, "
                    "{parameter}, {parameter?text} and [piece], with parameters of the environment");
}
