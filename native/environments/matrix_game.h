// What the repeated matrix games share: players who choose at the same time and see what was chosen before. No game.
#pragma once

#include "core/environment.h"

namespace swarmgrad::SWARMGRAD_TARGET {

// A game adds its texts, its parameters and `Float reward(int player)`, its payoff.
class MatrixGame {
 public:
  SWARMGRAD_FUNCTION int horizon() const { return rounds_; }
  SWARMGRAD_FUNCTION int group_count() const { return players_; }
  SWARMGRAD_FUNCTION Group group(int player) const {
    static constexpr const char *names[] = {"player_0",  "player_1",  "player_2",  "player_3", "player_4",  "player_5",
                                            "player_6",  "player_7",  "player_8",  "player_9", "player_10", "player_11",
                                            "player_12", "player_13", "player_14", "player_15"};
    static_assert(sizeof(names) / sizeof(names[0]) == most_players);
    return {names[player], 1, 1 + (rounds_ > 1 ? players_ * actions_ : 0), actions_};
  }

  template <class Visitor>
  SWARMGRAD_FUNCTION void state(Visitor &visit) {
    visit("action", action, players_, 1);
  }

  SWARMGRAD_FUNCTION void reset(Draws &) {
    for (int player = 0; player < players_; ++player) action[player] = -1;
  }

  SWARMGRAD_FUNCTION void observe(int player, Observation out) {
    int feature = 0;
    out.set(feature++, one_if(action[player] < 0));
    for (int k = 0; rounds_ > 1 && k < players_; ++k) {
      const int seen = k == 0 ? player : k - (k <= player ? 1 : 0);
      for (int a = 0; a < actions_; ++a) out.set(feature++, one_if(action[seen] == a));
    }
  }

  SWARMGRAD_FUNCTION void act(int player, Int choice) { action[player] = choice; }

 protected:
  static constexpr int most_players = 16;
  static constexpr Parameter rounds_parameter = {"rounds", 1, 1, 10000, true, "times the game is played in an episode"};
  static constexpr Parameter players_parameter = {"players", 2, 2, most_players, true, "players"};

  Array<Int> action;  // [player]: chosen last, -1 before the first round

  SWARMGRAD_FUNCTION MatrixGame(int players, int actions, double rounds)
      : players_(players), actions_(actions), rounds_(static_cast<int>(rounds)) {}

  SWARMGRAD_FUNCTION int players() const { return players_; }

  // How many players took `choice`.
  SWARMGRAD_FUNCTION Float takers(int choice) const {
    Float count = 0.0f;
    for (int player = 0; player < players_; ++player) count += one_if(action[player] == choice);
    return count;
  }

  // The entry of a 3 x 3 table: player 0 chooses the row, player 1 the column.
  SWARMGRAD_FUNCTION Float entry(const float (&table)[9]) const {
    const Int index = action[0] * 3 + action[1];
    Float value = table[0];
    for (int k = 1; k < 9; ++k) value = select(index == k, Float(table[k]), value);
    return value;
  }

 private:
  int players_, actions_, rounds_;
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
