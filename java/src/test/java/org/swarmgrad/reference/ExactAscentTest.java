// Holds the exact gradient of two-player games against finite differences of the expected payoff,
// its steps against the engine's optimizer, and its ends against what theory says of the games.
package org.swarmgrad.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.Optimizer;
import org.swarmgrad.Policy;
import org.swarmgrad.Rates;
import org.swarmgrad.Scale;

class ExactAscentTest {
  private static Engine open(String game, UnaryOperator<EngineConfig.Builder> change) {
    return Engine.open(
        change
            .apply(EngineConfig.builder(game).policy(Policy.linear()).environments(16).threads(1))
            .build());
  }

  /** Away from the uniform policy, and different for both players. */
  private static float[] uneven(Engine engine) {
    float[] parameters = engine.parameters();
    for (int i = 0; i < parameters.length; i++) {
      parameters[i] = 0.3f * ((7 * i) % 5) - 0.6f;
    }
    return parameters;
  }

  private static double payoff(Engine engine, int player, float[] parameters) {
    engine.setParameters(parameters);
    ExactAscent ascent = new ExactAscent(engine);
    double[] own = ascent.policy()[player];
    double sum = 0;
    for (int action = 0; action < own.length; action++) {
      sum += own[action] * ascent.expectedPayoff(player)[action];
    }
    return sum;
  }

  @ParameterizedTest
  @ValueSource(strings = {"climbing", "penalty", "prisoners_dilemma"})
  void theGradientIsThatOfTheOwnExpectedPayoff(String game) {
    try (Engine engine = open(game, builder -> builder)) {
      float[] parameters = uneven(engine);
      engine.setParameters(parameters);
      ExactAscent ascent = new ExactAscent(engine);
      for (int player = 0; player < 2; player++) {
        double[] gradient = ascent.gradient(player);
        for (int i = 0; i < gradient.length; i++) {
          float[] up = parameters.clone();
          float[] down = parameters.clone();
          int index = player * gradient.length + i;
          up[index] += 0x1p-10f;
          down[index] -= 0x1p-10f;
          double difference =
              (payoff(engine, player, up) - payoff(engine, player, down))
                  / ((double) up[index] - down[index]);
          // The third derivative times the squared step, of payoffs up to 100.
          assertThat(gradient[i]).isCloseTo(difference, within(1e-4));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Optimizer.class)
  void stepsAreThoseOfTheEnginesOptimizer(Optimizer optimizer) {
    try (Engine engine = open("climbing", builder -> builder.optimizer(optimizer))) {
      engine.setParameters(uneven(engine));
      ExactAscent ascent = new ExactAscent(engine);
      for (int iteration = 0; iteration < 5; iteration++) {
        float[] gradient = new float[engine.parameters().length];
        for (int i = 0; i < gradient.length; i++) {
          int size = gradient.length / 2;
          gradient[i] = (float) ascent.gradient(i / size)[i % size];
        }
        engine.step(gradient, new Rates(0.02, 0, 0));
        ascent.step(0.02);
      }
      double[][] found = ExactAscent.policy(engine);
      for (int player = 0; player < 2; player++) {
        assertThat(found[player]).containsExactly(ascent.policy()[player], within(1e-5));
      }
    }
  }

  @Test
  void fromTheUniformPolicyClimbersPassTheSafeCornersOnTheirWay() {
    try (Engine engine = open("climbing", builder -> builder.optimizer(Optimizer.SGD))) {
      engine.setParameters(new float[engine.parameters().length]);
      ExactAscent ascent = new ExactAscent(engine);
      assertThat(ascent.payoffs()[0]).isDeepEqualTo(ascent.payoffs()[1]);
      int[] corners = {2 * 3 + 2, 3 + 2, 3 + 1};
      int passed = 0;
      for (int iteration = 0; passed < corners.length && iteration < 100_000; iteration++) {
        double[][] policy = ascent.policy();
        int corner = corners[passed];
        passed += policy[0][corner / 3] > 0.5 && policy[1][corner % 3] > 0.5 ? 1 : 0;
        ascent.step(0.02);
      }
      assertThat(passed).isEqualTo(corners.length);
    }
  }

  @Test
  void whatTheClosedFormDoesNotCoverIsNamed() {
    for (String game : new String[] {"climbing?rounds=2", "stag_hunt?players=3", "CartPole-v1"}) {
      try (Engine engine = open(game, builder -> builder)) {
        assertThatThrownBy(() -> new ExactAscent(engine))
            .hasMessageContaining("exact ascent covers");
      }
    }
    try (Engine engine = open("climbing", builder -> builder.scale(Scale.RUNNING_DEVIATION))) {
      assertThatThrownBy(() -> new ExactAscent(engine)).hasMessageContaining("scale");
    }
  }
}
