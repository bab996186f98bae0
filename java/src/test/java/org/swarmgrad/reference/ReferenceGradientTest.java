// The reference's gradient against finite differences of its surrogate.
package org.swarmgrad.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.swarmgrad.Trajectories;

/**
 * The reference's analytic gradient against central differences of its own surrogate at fixed data.
 */
class ReferenceGradientTest {
  @ParameterizedTest
  @CsvSource({
    "0, false",
    "1, false",
    "2, false",
    "3, false",
    "4, false",
    "1, true",
    "2, true",
    "3, true",
    "4, true"
  })
  void gradientIsTheSlopeOfTheSurrogate(int hiddenLayers, boolean relu) {
    Random random = new Random(hiddenLayers * 2L + (relu ? 1 : 0));
    Trajectories batch = TestBatches.random(random, 1);
    int[] sizes = new int[hiddenLayers + 2];
    sizes[0] = batch.group().observationSize();
    for (int layer = 1; layer <= hiddenLayers; layer++) {
      sizes[layer] = 4 + layer;
    }
    sizes[hiddenLayers + 1] = batch.group().actionCount();
    double[] parameters = random.doubles(ReferencePolicy.parameterCount(sizes), -1, 1).toArray();
    double entropyCoefficient = 0.3;
    double[] gradient =
        ReferenceGradient.gradient(
            new ReferencePolicy(sizes, relu, parameters),
            batch,
            entropyCoefficient,
            parameters.length,
            null,
            null);
    double step = 1e-6;
    for (int index = 0; index < parameters.length; index++) {
      double kept = parameters[index];
      parameters[index] = kept + step;
      double above =
          ReferenceGradient.surrogate(
              new ReferencePolicy(sizes, relu, parameters), batch, entropyCoefficient);
      parameters[index] = kept - step;
      double below =
          ReferenceGradient.surrogate(
              new ReferencePolicy(sizes, relu, parameters), batch, entropyCoefficient);
      parameters[index] = kept;
      // Rounding of the surrogate (about 1e-15) over the step, and the step squared times a third
      // derivative.
      assertThat(gradient[index])
          .as(ReferencePolicy.describe("policy", sizes, index))
          .isCloseTo((above - below) / (2 * step), within(2e-8));
    }
  }

  @ParameterizedTest
  @CsvSource({"1, false", "2, false", "1, true", "2, true"})
  void valueGradientIsTheSlopeOfMinusHalfTheSquaredErrors(int rows, boolean relu) {
    Random random = new Random(rows);
    Trajectories batch = TestBatches.random(random, rows);
    int[] sizes = {batch.group().valueNetwork().observationSize(), 4, 1};
    double[] parameters = random.doubles(ReferencePolicy.parameterCount(sizes), -1, 1).toArray();
    double[] gradient =
        ReferenceGradient.valueGradient(
            new ReferencePolicy(sizes, relu, parameters), batch, parameters.length, null, null);
    double[] aim = values(new ReferencePolicy(sizes, relu, parameters), batch, rows);
    for (int index = 0; index < aim.length; index++) {
      aim[index] += batch.valueError()[index];
    }
    double step = 1e-6;
    for (int index = 0; index < parameters.length; index++) {
      double kept = parameters[index];
      parameters[index] = kept + step;
      double above = loss(new ReferencePolicy(sizes, relu, parameters), batch, rows, aim);
      parameters[index] = kept - step;
      double below = loss(new ReferencePolicy(sizes, relu, parameters), batch, rows, aim);
      parameters[index] = kept;
      assertThat(gradient[index])
          .as(ReferencePolicy.describe("value", sizes, index))
          .isCloseTo((below - above) / (2 * step), within(2e-8));
    }
  }

  /** [step][row][environment] */
  private static double[] values(ReferencePolicy network, Trajectories batch, int rows) {
    double[] values = new double[batch.valueError().length];
    for (int index = 0; index < values.length; index++) {
      int line = index / batch.environments();
      values[index] =
          ReferenceGradient.value(
              network, batch, line / rows, line % rows, index % batch.environments(), null);
    }
    return values;
  }

  /** Half the squared errors of the rows of whoever lives. */
  private static double loss(ReferencePolicy network, Trajectories batch, int rows, double[] aim) {
    double[] value = values(network, batch, rows);
    double loss = 0;
    for (int index = 0; index < value.length; index++) {
      int step = index / batch.environments() / rows;
      int row = index / batch.environments() % rows;
      int environment = index % batch.environments();
      boolean lives =
          rows > 1
              ? batch.alive()[batch.index(step, row, environment)] != 0
              : batch.alive()[batch.index(step, 0, environment)] != 0
                  || batch.alive()[batch.index(step, 1, environment)] != 0;
      loss += lives ? (aim[index] - value[index]) * (aim[index] - value[index]) / 2 : 0;
    }
    return loss / batch.environments();
  }

  @Test
  void deadAgentsAndUnavailableActionsContributeNothing() {
    Trajectories batch = TestBatches.random(new Random(5), 1);
    int[] sizes = {batch.group().observationSize(), batch.group().actionCount()};
    double[] parameters = new double[ReferencePolicy.parameterCount(sizes)];
    for (int index = 0; index < batch.alive().length; index++) {
      batch.alive()[index] = 0;
    }
    assertThat(
            ReferenceGradient.gradient(
                new ReferencePolicy(sizes, false, parameters),
                batch,
                1,
                parameters.length,
                null,
                null))
        .containsOnly(0);
    double[] logProbability =
        Softmax.logProbability(new double[] {1e4, 3, 3}, new boolean[] {false, true, true});
    assertThat(logProbability)
        .containsExactly(Double.NEGATIVE_INFINITY, -Math.log(2), -Math.log(2));
    assertThat(Softmax.entropy(logProbability)).isCloseTo(Math.log(2), within(1e-15));
    assertThat(Softmax.gradient(logProbability, 1, 2, 0.5))
        .containsExactly(new double[] {0, 1, -1}, within(1e-15));
  }
}
