// What swarmgrad envs says of every environment of the catalogue.
package org.swarmgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.swarmgrad.Catalogue;
import org.swarmgrad.EnvironmentInfo;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Simulator;
import org.swarmgrad.Swarmgrad;

class EnvironmentsCommandTest {
  private static Stream<EnvironmentSpec> environments() {
    return Catalogue.environments();
  }

  @Test
  void theListHoldsTheWholeCatalogue() throws IOException {
    String text = run("envs").out();
    JsonNode list = run("envs", "--json").json().get("environments");
    for (int index = 0; index < Swarmgrad.environments().size(); index++) {
      EnvironmentInfo info = Swarmgrad.environments().get(index);
      assertThat(text).contains(info.id(), info.summary());
      assertThat(list.get(index).get("id").asText()).isEqualTo(info.id());
    }
    assertThat(text).contains("ids: Foraging[-{sight}s]-{size}x{size}");
  }

  /** What holds for every id: shapes computed for it, and parameters as it says. */
  @ParameterizedTest
  @MethodSource("environments")
  void theDescriptionTellsShapesAndFields(EnvironmentSpec environment) throws IOException {
    JsonNode told = run("envs", "--describe", environment.toString(), "--json").json();
    assertThat(told.get("environment").asText()).isEqualTo(environment.toString());
    assertThat(told.get("description").asText()).isNotBlank();
    try (Simulator simulator = Simulator.open(environment, 0, InstructionSet.AUTO)) {
      assertThat(told.get("horizon").asInt()).isEqualTo(simulator.horizon());
      assertThat(told.get("groups")).hasSameSizeAs(simulator.groups());
      for (int group = 0; group < simulator.groups().size(); group++) {
        JsonNode entry = told.get("groups").get(group);
        assertThat(entry.get("name").asText()).isEqualTo(simulator.groups().get(group).name());
        assertThat(entry.get("observation_size").asInt())
            .isEqualTo(simulator.groups().get(group).observationSize());
      }
      assertThat(told.get("fields")).hasSameSizeAs(simulator.fields()).isNotEmpty();
    }
    environment
        .info()
        .parameters()
        .forEach(
            parameter ->
                assertThat(told.get("values").get(parameter.name()).asDouble())
                    .isEqualTo(environment.parameter(parameter.name())));
  }

  @Test
  void anIdSaysItsParameters() throws IOException {
    String text = run("envs", "--describe", "Foraging-2s-10x10-3p-4f-coop-v3?penalty=0.1").out();
    assertThat(text)
        .contains("player               3 agents, 21 features, 6 actions\n")
        .contains("foods at the start (default 4; whole numbers")
        .contains("highest level (default 1;")
        .contains("too heavy for the group (set to 0.1;")
        .contains("player_pos           [3][2] integer\n");
    assertThat(run("envs", "--describe", "smax_2s3z").out())
        .contains("unavailable ones masked")
        .contains("cooldown_noise       [8][10] float, chance\n");
  }

  private static Output run(String... arguments) {
    Output output = Output.run(arguments);
    assertThat(output.status()).as(output.err()).isZero();
    return output;
  }
}
