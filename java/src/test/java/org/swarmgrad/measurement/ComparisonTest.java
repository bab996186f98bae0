// When a change counts: beyond 10% and beyond 3 errors, and never against another machine.
package org.swarmgrad.measurement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.swarmgrad.measurement.Comparison.Verdict;

class ComparisonTest {
  private static final Machine MACHINE = new Machine("a processor", 2, "avx2");
  private static final String STEPS = BenchmarkResult.AGENT_STEPS_PER_SECOND;

  private static BenchmarkResult result(
      String benchmark, double score, double error, String unit, Machine machine, String day) {
    return new BenchmarkResult(
        benchmark, new TreeMap<>(), score, error, unit, machine, "commit", "2026-01-" + day);
  }

  private static BenchmarkResult iteration(double score, double error, String day) {
    return result("iteration", score, error, STEPS, MACHINE, day);
  }

  @ParameterizedTest
  @CsvSource({
    // 9% is within 10%, however sure it is.
    "100, 0.1, 109, 0.1, SAME",
    "100, 0.1, 91, 0.1, SAME",
    "100, 0.1, 112, 0.1, FASTER",
    "100, 0.1, 88, 0.1, SLOWER",
    // 20% within 3 errors of the difference (3 x 7.07 = 21.2) is noise, beyond them it is not.
    "100, 5, 80, 5, SAME",
    "100, 5, 78, 5, SLOWER",
    "100, 5, 122, 5, FASTER",
    "100, 0, 100, 0, SAME",
  })
  void moreThroughputIsFaster(
      double before, double beforeError, double now, double nowError, Verdict verdict) {
    assertThat(
            new Comparison(iteration(before, beforeError, "01"), iteration(now, nowError, "02"))
                .verdict())
        .isEqualTo(verdict);
  }

  @ParameterizedTest
  @CsvSource({"10, 12, SLOWER", "10, 8, FASTER", "10, 10.5, SAME"})
  void moreTimeIsSlower(double before, double now, Verdict verdict) {
    String unit = BenchmarkResult.NANOSECONDS_PER_CALL;
    assertThat(
            new Comparison(
                    result("call", before, 0.1, unit, MACHINE, "01"),
                    result("call", now, 0.1, unit, MACHINE, "02"))
                .verdict())
        .isEqualTo(verdict);
  }

  @Test
  void comparesWithTheLatestOfTheSameMachineBenchmarkAndParameters() {
    Machine other = new Machine("a processor", 4, "avx2");
    TreeMap<String, String> parameters = new TreeMap<>();
    parameters.put("environments", "16");
    BenchmarkResult small =
        new BenchmarkResult("iteration", parameters, 5, 1, STEPS, MACHINE, "commit", "2026-01-05");
    List<BenchmarkResult> history =
        List.of(
            iteration(100, 1, "01"),
            iteration(200, 1, "02"),
            result("iteration", 900, 1, STEPS, other, "03"),
            result("rollout", 500, 1, STEPS, MACHINE, "04"),
            small);
    Comparison comparison = Comparison.latest(history, iteration(210, 1, "06")).orElseThrow();
    assertThat(comparison.before()).isEqualTo(history.get(1));
    assertThat(comparison.change()).isCloseTo(0.05, within(1e-12));
    assertThat(Comparison.latest(history, result("gradient", 1, 0, STEPS, MACHINE, "06")))
        .isEmpty();
  }

  @Test
  void setsTheNewestOfEachBenchmarkBesideTheOneBefore() {
    Machine other = new Machine("another", 2, "neon");
    List<BenchmarkResult> history =
        List.of(
            iteration(100, 1, "01"),
            result("rollout", 500, 1, STEPS, MACHINE, "02"),
            iteration(150, 1, "03"),
            result("iteration", 1, 0, STEPS, other, "04"),
            result("iteration", 2, 0, STEPS, other, "05"),
            iteration(120, 1, "06"));
    assertThat(Comparison.newest(history, MACHINE))
        .containsExactly(new Comparison(history.get(2), history.get(5)));
    assertThat(Comparison.newest(List.of(), MACHINE)).isEmpty();
  }
}
