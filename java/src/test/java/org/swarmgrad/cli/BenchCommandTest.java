// swarmgrad bench: the fields of its JSON object, its comparison with a history, its exit statuses.
package org.swarmgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swarmgrad.EnvironmentInfo;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Swarmgrad;
import org.swarmgrad.measurement.BenchmarkResult;
import org.swarmgrad.measurement.History;
import org.swarmgrad.measurement.Machine;
import org.swarmgrad.measurement.Rollouts;

class BenchCommandTest {
  private static final String[] TINY = {
    "--policy", "mlp:8", "--envs", "32", "--threads", "1", "--seconds", "0.01"
  };

  private static Output run(String... arguments) {
    List<String> all = new ArrayList<>(List.of("bench"));
    all.addAll(List.of(arguments));
    return Output.run(all.toArray(String[]::new));
  }

  private static Output tiny(String... more) {
    List<String> all = new ArrayList<>(List.of(TINY));
    all.addAll(List.of(more));
    return run(all.toArray(String[]::new));
  }

  @Test
  void jsonHasEveryField() throws IOException {
    JsonNode json = tiny("--agents", "2", "--json").json();
    assertThat(json.path("environment").asText()).isEqualTo("simple_spread_v3");
    assertThat(json.path("agents").asInt()).isEqualTo(2);
    assertThat(json.path("policy").asText()).isEqualTo("mlp:8");
    assertThat(json.path("environments").asInt()).isEqualTo(32);
    assertThat(json.path("horizon").asInt()).isEqualTo(25);
    assertThat(json.path("threads").asInt()).isEqualTo(1);
    assertThat(json.path("isa").asText()).isIn("avx2", "avx512", "neon");
    assertThat(json.path("device").asText()).isEqualTo("cpu");
    assertThat(json.path("fma_peak_repetitions").asInt()).isGreaterThanOrEqualTo(5);
    for (String name :
        List.of(
            "agent_steps_per_s",
            "rollout_agent_steps_per_s",
            "fma_peak_gflop_per_s",
            "bytes_per_cohort",
            "bytes_total",
            "peak_resident_bytes")) {
      assertThat(json.path(name).asDouble()).as(name).isPositive();
    }
    // Two agents observe 14 features: 14-8-5 costs 2 x (112 + 40) forward, as much for the weights'
    // gradient, and 2 x 40 for the hidden layer's.
    assertThat(json.path("flop_per_agent_step").asLong())
        .isEqualTo(2 * (2 * (observation(2) * 8 + 40) + 40));
    double useful = json.path("useful_gflop_per_s").asDouble();
    assertThat(useful)
        .isCloseTo(
            json.path("agent_steps_per_s").asDouble()
                * json.path("flop_per_agent_step").asDouble()
                * 1e-9,
            within(1e-9 * useful));
    assertThat(json.path("fraction_of_peak").asDouble())
        .isCloseTo(useful / json.path("fma_peak_gflop_per_s").asDouble(), within(1e-12))
        .isBetween(0.0, 1.0);
  }

  /** Velocity, position, landmarks, other agents and their messages. */
  private static int observation(int agents) {
    return 4 + 2 * agents + 4 * (agents - 1);
  }

  @Test
  void withoutJsonATableForPeople() {
    Output run = tiny();
    assertThat(run.status()).isZero();
    assertThat(run.out())
        .contains("million agent-steps/s, learning included")
        .contains("fraction of peak")
        .contains("MB a cohort")
        .doesNotContain("{");
  }

  @Test
  void comparesWithTheHistoryAndNeverFails(@TempDir Path folder) throws IOException {
    JsonNode measured = tiny("--json").json();
    TreeMap<String, String> parameters = new TreeMap<>();
    parameters.put("environment", "simple_spread_v3");
    parameters.put("policy", "mlp:8");
    parameters.put("environments", "32");
    parameters.put("threads", "1");
    parameters.put("isa", measured.path("isa").asText());
    new History(folder)
        .append(
            List.of(
                new BenchmarkResult(
                    "iteration",
                    parameters,
                    1e15,
                    1,
                    BenchmarkResult.AGENT_STEPS_PER_SECOND,
                    Machine.here(),
                    "before",
                    "2026-01-01T00:00:00Z")));
    Output run = tiny("--json", "--compare", "--history", folder.toString());
    assertThat(run.status()).isZero();
    JsonNode comparison = run.json().path("comparison");
    assertThat(comparison).hasSize(1);
    assertThat(comparison.get(0).path("verdict").asText()).isEqualTo("slower");
    assertThat(comparison.get(0).path("before_commit").asText()).isEqualTo("before");
    assertThat(run.err()).contains("holds no result of rollout");
    assertThat(tiny("--compare", "--history", folder.toString()).out()).contains("slower");
  }

  @Test
  void anEmptyHistoryIsNoFailure(@TempDir Path folder) throws IOException {
    Output run = tiny("--json", "--compare", "--history", folder.resolve("absent").toString());
    assertThat(run.status()).isZero();
    assertThat(run.json().path("comparison").isArray()).isTrue();
    assertThat(run.err()).contains("holds no result of iteration");
  }

  @Test
  void theCatalogueIsWholeAndEveryLineIsMeasured() throws IOException {
    Set<String> families =
        Rollouts.CATALOGUE.stream()
            .map(id -> EnvironmentSpec.parse(id).info().summary())
            .collect(Collectors.toSet());
    for (EnvironmentInfo info : Swarmgrad.environments()) {
      if (EnvironmentSpec.of(info.id()).source().isEmpty()) {
        assertThat(families).as(info.id()).contains(info.summary());
      }
    }
    JsonNode json = run("--catalogue", "--seconds", "1e-3", "--json").json();
    assertThat(json.path("rollouts")).hasSameSizeAs(Rollouts.CATALOGUE);
    for (JsonNode rollout : json.path("rollouts")) {
      double agentSteps = rollout.path("agent_steps_per_s").asDouble();
      double environmentSteps = rollout.path("environment_steps_per_s").asDouble();
      assertThat(environmentSteps).isPositive();
      // Dead agents take no steps, but somebody does.
      assertThat(agentSteps / environmentSteps)
          .as(rollout.path("environment").asText())
          .isBetween(1 - 1e-9, rollout.path("agents").asInt() + 1e-9);
      assertThat(rollout.path("repetitions").asInt()).isGreaterThanOrEqualTo(3);
    }
  }

  @Test
  void wrongUseExitsWithTwoAndOneLine(@TempDir Path folder) throws IOException {
    for (String[] wrong :
        List.of(
            new String[] {"--seconds", "0"},
            new String[] {"--seconds", "soon"},
            new String[] {"--agents", "0"},
            new String[] {"--env", "nowhere"},
            new String[] {"--policy", "mlp:0"},
            new String[] {"--isa", "mmx"},
            new String[] {"--history", folder.toString()},
            new String[] {"--catalogue", "--env", "crowd"},
            new String[] {"--rounds", "3"})) {
      Output run = run(wrong);
      assertThat(run.status()).as(String.join(" ", wrong)).isEqualTo(2);
      assertThat(run.err().lines()).hasSize(1);
    }
    Files.writeString(folder.resolve("damaged.jsonl"), "{\n");
    Output damaged = tiny("--compare", "--history", folder.toString());
    assertThat(damaged.status()).isEqualTo(1);
    assertThat(damaged.err()).contains("damaged.jsonl line 1");
  }
}
