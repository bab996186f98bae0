// A benchmark whose answer is wrong fails, whichever quantity shows it.
package org.swarmgrad.measurement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.swarmgrad.Group;
import org.swarmgrad.Statistics;
import org.swarmgrad.SwarmgradException;

class AnswersTest {
  private static final Group GROUP = new Group("agent", 0, 3, 18, 5, false, 128, 0, 1000, null);
  private static final double[] RIGHT = {4, 300, -80, 10, -100, -60, -80 / 3.0, 25, 1.6, 2, 3, 250};

  /** The values of RIGHT in the order of Statistics, from episodes to effective sample size. */
  private static Statistics statistics(double... v) {
    return new Statistics(
        0,
        7,
        (long) v[0],
        (long) v[1],
        v[2],
        v[3],
        v[4],
        v[5],
        v[6],
        v[7],
        v[8],
        v[9],
        v[10],
        v[11],
        1,
        0,
        0);
  }

  @Test
  void acceptsASensibleBatch() {
    assertThatCode(() -> Answers.check(GROUP, 25, statistics(RIGHT), 4)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 3, episodes",
    "1, 0, agent steps",
    "1, 301, agent steps",
    "2, -101, mean team return",
    "2, NaN, mean team return",
    "3, -1, deviation",
    "3, 41, deviation",
    "4, -Infinity, smallest",
    "5, NaN, largest",
    "6, -80, mean agent return",
    "7, 26, episode length",
    "8, 1.62, entropy",
    "8, -0.1, entropy",
    "9, NaN, gradient norm",
    "10, -1, weight variance",
    "11, 301, effective sample size",
  })
  void refusesOneWrongQuantity(int index, double value, String named) {
    double[] wrong = RIGHT.clone();
    wrong[index] = value;
    assertThatThrownBy(() -> Answers.check(GROUP, 25, statistics(wrong), 4))
        .isInstanceOf(SwarmgradException.class)
        .hasMessageContaining(named)
        .hasMessageContaining("group agent");
  }

  @Test
  void namesAProcessorByModelAndFamily() {
    assertThat(
            Machine.processorName(
                List.of(
                    "processor\t: 0", "cpu family\t: 25", "model\t\t: 17", "model name\t: X Y")))
        .isEqualTo("X Y, family 25, model 17");
    assertThat(Machine.processorName(List.of("BogoMIPS : 50.00")))
        .isEqualTo(System.getProperty("os.arch"));
  }

  @Test
  void medianErrorAndBest() {
    assertThat(Throughput.median(List.of(5.0, 1.0, 2.0))).isEqualTo(2);
    assertThat(Throughput.median(List.of(5.0, 1.0, 2.0, 4.0))).isEqualTo(3);
    assertThat(Throughput.best(List.of(5.0, 1.0, 7.0))).isEqualTo(7);
    // Deviation 2, four values.
    assertThat(Throughput.standardError(List.of(1.0, 3.0, 5.0, 3.0)))
        .isEqualTo(Math.sqrt(8.0 / 3 / 4));
  }
}
