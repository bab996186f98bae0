// An environment that does wrong what its parameter says, each mistake one that a user can make.
#pragma once

#include "core/environment.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct Faulty {
  static constexpr const char *id = "faulty";
  static constexpr const char *summary = "makes one mistake";
  static constexpr const char *description = "Two groups of two agents with a mask; the parameter chooses the mistake.";
  static constexpr Parameter parameters[] = {
      {"mistake", 0, 0, 15, true, "which",
       "none|array|array_below|lane|feature|forgotten_feature|nan_feature|nan_reward|action|forgotten_action|"
       "forgotten_state|no_agents|no_features|one_name|scratch_below|forgotten_array"},
  };
  enum Mistake {
    none_at_all,
    array,
    array_below,
    lane_index,
    feature,
    forgotten_feature,
    nan_feature,
    nan_reward,
    action_index,
    forgotten_action,
    forgotten_state,
    no_agents,
    no_features,
    one_name,
    scratch_below,
    forgotten_array
  };

  int mistake;
  Array<Int> count;    // [agent]
  Array<Float> value;  // [agent]
  Array<Int> spare;    // [4]

  SWARMGRAD_FUNCTION explicit Faulty(const double *parameter) : mistake(static_cast<int>(parameter[0])) {}

  SWARMGRAD_FUNCTION int horizon() const { return 6; }
  SWARMGRAD_FUNCTION int group_count() const { return 2; }
  SWARMGRAD_FUNCTION Group group(int index) const {
    return {index == 0 || mistake == one_name ? "first" : "second", mistake == no_agents ? -1 : 2,
            mistake == no_features ? 0 : 3, 2, true};
  }

  SWARMGRAD_FUNCTION void state(auto &visit) {
    visit("count", count, 4, 1);
    if (mistake != forgotten_array) visit("value", value, 4, 1);
  }

  SWARMGRAD_FUNCTION void scratch(auto &visit) { visit("spare", spare, mistake == scratch_below ? -1 : 4, 1); }

  SWARMGRAD_FUNCTION void reset(Draws &draws) {
    for (int agent = 0; agent < 4; ++agent) {
      count[agent] = 0;
      if (mistake != forgotten_state || agent != 2) value[agent] = draws.uniform();
    }
  }

  SWARMGRAD_FUNCTION void observe(int agent, Observation out) {
    const Mask late = count[agent] == 3;
    out.set(0, value[agent]);
    out.set(1, select(late & Mask(mistake == nan_feature && agent == 1), Float(__builtin_nanf("")), Float(0.5f)));
    if (mistake != forgotten_feature || agent != 3) out.set(2, 1.0f);
    if (mistake == feature && agent == 2) out.set(3, 1.0f);
  }

  SWARMGRAD_FUNCTION void available(int agent, AvailableActions out) {
    out.set(0, true);
    if (mistake != forgotten_action) out.set(1, true);
    if (mistake == forgotten_action && agent == 1) out.set(0, false);
    if (mistake == action_index && agent == 3) out.set(2, true);
  }

  SWARMGRAD_FUNCTION void act(int agent, Int action) {
    count[agent] += 1;
    value[agent] = value[agent] * 0.5f + to_float(action);
  }

  SWARMGRAD_FUNCTION void resolve() {
    if (mistake == array) value[4] = 1.0f;
    if (mistake == array_below) value[0] = value[-1];
    if (mistake == lane_index) count[0] = gather(count, count[0] + 3);
  }

  SWARMGRAD_FUNCTION Float reward(int agent) {
    const Mask late = count[agent] == 3;
    return select(late & Mask(mistake == nan_reward && agent == 2), Float(__builtin_nanf("")), value[agent]);
  }
};

SWARMGRAD_ENVIRONMENT(Faulty);

}  // namespace swarmgrad::SWARMGRAD_TARGET
