// Groups, masks, death and early ends of an environment written in Java, against the reference.
package org.swarmgrad.judge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.swarmgrad.Baseline;
import org.swarmgrad.Cohort;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.Environment;
import org.swarmgrad.JavaEnvironment;
import org.swarmgrad.Policy;
import org.swarmgrad.Recording;
import org.swarmgrad.Trajectories;
import org.swarmgrad.ValueInput;
import org.swarmgrad.Weight;

class JavaEnvironmentJudgeTest {
  /**
   * Two runners and three guards with energy. Who sprints (the last action) may lose energy, and
   * without any is dead, which costs its team; a guard with one left may not sprint. Chance ends
   * episodes. What must have no effect, is as bad as it can be: dead agents observe NaN, episodes
   * that have ended earn a fortune.
   */
  private static final class Relay implements Environment {
    private static final int RUNNERS = 2;
    private static final int AGENTS = 5;
    private final int[][] energy = new int[AGENTS][Cohort.MAXIMUM];

    @Override
    public List<Agents> groups() {
      return List.of(
          new Agents("runner", RUNNERS, 2, 4), new Agents("guard", AGENTS - RUNNERS, 3, 3, true));
    }

    @Override
    public int horizon() {
      return 20;
    }

    private static int sprint(int agent) {
      return agent < RUNNERS ? 3 : 2;
    }

    @Override
    public void reset(Cohort cohort) {
      for (int e = 0; e < cohort.episodes(); e++) {
        for (int agent = 0; agent < AGENTS; agent++) {
          energy[agent][e] = 1 + cohort.below(e, 4);
        }
      }
    }

    @Override
    public void observe(Cohort cohort) {
      for (int e = 0; e < cohort.episodes(); e++) {
        for (int agent = 0; agent < AGENTS; agent++) {
          boolean alive = cohort.alive(agent, e);
          cohort.observe(agent, 0, e, alive ? energy[agent][e] * 0.25f : Float.NaN);
          cohort.observe(agent, 1, e, energy[(agent + 1) % AGENTS][e] * 0.5f - 1);
          if (agent >= RUNNERS) {
            cohort.observe(agent, 2, e, cohort.step() * 0.05f);
            if (energy[agent][e] <= 1) {
              cohort.forbid(agent, sprint(agent), e);
            }
          }
        }
      }
    }

    @Override
    public void step(Cohort cohort) {
      for (int e = 0; e < cohort.episodes(); e++) {
        for (int agent = 0; agent < AGENTS; agent++) {
          boolean sprints = cohort.alive(agent, e) && cohort.action(agent, e) == sprint(agent);
          if (cohort.uniform(e) < 0.5f && sprints) {
            energy[agent][e]--;
          }
          cohort.alive(agent, e, energy[agent][e] > 0);
          float earned = cohort.alive(agent, e) ? cohort.action(agent, e) : -0.25f;
          cohort.reward(agent, e, cohort.playing(e) ? earned : 1e9f);
        }
        if (cohort.uniform(e) < 0.05f) {
          cohort.end(e);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Weight.class)
  void groupsMasksDeathAndEarlyEnds(Weight weight) {
    judge(builder -> builder.weight(weight).baseline(Baseline.LEAVE_ONE_OUT));
  }

  @ParameterizedTest
  @EnumSource(ValueInput.class)
  void valuesOfGroupsWithMasksDeathAndEarlyEnds(ValueInput input) {
    judge(
        builder ->
            builder
                .baseline(Baseline.LEARNED_VALUE)
                .valueInput(input)
                .valuePolicies(List.of(Policy.parse("mlp:7:relu"), Policy.linear()))
                .observationNormalisation(true)
                .lambda(input == ValueInput.JOINT ? 0.7 : 1)
                .bootstrap(input == ValueInput.JOINT));
  }

  private static void judge(UnaryOperator<EngineConfig.Builder> options) {
    EngineConfig config =
        options
            .apply(EngineConfig.builder(JavaEnvironment.of("relay", Relay::new)))
            .policies(List.of(Policy.mlp(9), Policy.parse("mlp:5:relu")))
            .entropyCoefficient(0.05)
            .discount(0.97)
            .environments(75)
            .seed(2)
            .threads(2)
            .build();
    try (Engine engine = Engine.open(config)) {
      JudgedEngine.drawParameters(engine, 3);
      Recording recording = JudgedEngine.assertAgrees(engine);
      Trajectories guards = recording.trajectories().get(1);
      assertThat(guards.mask()).contains((byte) 0);
      assertThat(guards.episodeLength()).isEqualTo(recording.trajectories().get(0).episodeLength());
      assertThat(Arrays.stream(guards.episodeLength()).distinct().count()).isGreaterThan(5);
      int dead = 0;
      for (Trajectories group : recording.trajectories()) {
        for (int i = 0; i < group.alive().length; i++) {
          dead += group.alive()[i] == 0 && group.reward()[i] == -0.25f ? 1 : 0;
        }
      }
      assertThat(dead).isGreaterThan(30);
      engine.train(0.01, 0.01, 0.01);
      JudgedEngine.assertAgrees(engine);
    }
  }
}
