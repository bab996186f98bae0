// verify, trace and batch as a user runs them.
package org.swarmgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.swarmgrad.Group;
import org.swarmgrad.Safetensors;
import org.swarmgrad.Trajectories;
import org.swarmgrad.reference.Judge;
import org.swarmgrad.reference.ReferenceGradient;
import org.swarmgrad.reference.ReferencePolicy;

/**
 * The commands verify, trace and batch as a user runs them: exit status, JSON, and files another
 * program can use.
 */
class JudgeCommandsTest {
  @TempDir Path folder;

  private Output output;

  @Test
  void verifyAgrees() throws IOException {
    assertThat(run("verify", "--json")).isZero();
    JsonNode result = output.json();
    assertThat(result.get("disagreeing").asInt()).isZero();
    assertThat(result.get("rows").size()).isGreaterThan(30);
    assertThat(run("verify")).isZero();
    assertThat(output.out())
        .contains("E[total-return, leave-one-out]", "0.2745 (cosine 0.732)", "rows agree")
        .containsPattern("E.learned-value, own. .* agrees +unbiased")
        .containsPattern("E.lambda 0.5. .* agrees +biased: .*0.0952 .cosine 0.974.")
        .containsPattern("E.bootstrap. .* agrees +biased: .*0.2582 .cosine 0.766.");
  }

  @Test
  void traceReportsAFileAndFailsOnAMismatch() throws IOException, URISyntaxException {
    Path golden = Path.of(getClass().getResource("/golden/gymnasium_CartPole-v1.json.gz").toURI());
    assertThat(run("trace", "--json", golden.toString(), golden.toString())).isZero();
    JsonNode file = output.json().get("files").get(1);
    assertThat(file.get("environment").asText()).isEqualTo("CartPole-v1");
    assertThat(file.get("episodes").asInt()).isEqualTo(10);
    assertThat(file.get("steps").asInt()).isEqualTo(1151);
    assertThat(file.get("mismatches").asInt()).isZero();

    Path wrong = folder.resolve("wrong.json");
    Files.writeString(
        wrong,
        """
        {"env": "CartPole-v1", "params": {"max_episode_steps": 500}, "episodes": [{"label": "made up",
         "initial": {"state": [0, 0, 0, 0], "obs": [[0, 0, 0, 0]]},
         "steps": [{"action": [1], "reward": [1], "terminated": false, "truncated": false,
                    "state": [1, 0, 0, 0], "obs": [[0, 0, 0, 0]]}]}]}
        """);
    assertThat(run("trace", wrong.toString())).isEqualTo(1);
    assertThat(output.out())
        .contains("first: episode 0 (made up), step 0: state[0][0]: recorded 1.0, found 0.0");
    assertThat(run("trace")).isEqualTo(2);
    assertThat(run("trace", folder.resolve("absent.json").toString())).isEqualTo(1);
    assertThat(output.err().lines()).hasSize(1);
  }

  /** Reads nothing but the file, as a program in another language would. */
  @ParameterizedTest
  @CsvSource({
    "simple_spread_v3, linear, 17",
    "simple_spread_v3, 'mlp:16,8', 33",
    "CartPole-v1, 'mlp:5,9:relu', 18"
  })
  void aBatchHoldsWhatItsGradientNeeds(String environment, String policy, int episodes)
      throws IOException {
    Path path = folder.resolve("batch.safetensors");
    assertThat(
            run(
                "batch",
                "--env",
                environment,
                "--policy",
                policy,
                "--envs",
                "" + episodes,
                "--out",
                path.toString(),
                "--json"))
        .as(output.err())
        .isZero();
    assertThat(output.json().get("bytes").asLong()).isEqualTo(Files.size(path));
    try (Safetensors file = Safetensors.open(path)) {
      assertThat(file.metadata())
          .containsKeys("discount", "activation", "weight", "baseline", "seed", "groups")
          .containsEntry("environment", environment)
          .containsEntry("policy", policy)
          .containsEntry("scale", "none")
          .containsEntry("entropy_coefficient", "0");
      List<Long> shape = file.tensor("observation").shape();
      assertThat(shape.getFirst()).isEqualTo(episodes);
      for (String name : List.of("action", "reward", "log_probability", "weight", "alive")) {
        assertThat(file.tensor(name).shape()).as(name).isEqualTo(shape.subList(0, 3));
      }
      int layers = 0;
      while (file.has("policy." + layers + ".weight")) {
        layers++;
      }
      int[] sizes = new int[layers + 1];
      sizes[0] = shape.getLast().intValue();
      for (int layer = 0; layer < layers; layer++) {
        sizes[layer + 1] = file.tensor("policy." + layer + ".weight").shape().getFirst().intValue();
      }
      float[] parameters = flatten(file, "policy.", sizes);
      double[] wide = new double[parameters.length];
      for (int index = 0; index < wide.length; index++) {
        wide[index] = parameters[index];
      }
      double[] expected =
          ReferenceGradient.gradient(
              new ReferencePolicy(sizes, policy.endsWith("relu"), wide),
              batch(file, sizes[layers]),
              0,
              wide.length,
              null,
              null);
      Judge.Finding finding =
          Judge.compareGradient(
              "policy",
              sizes,
              expected,
              flatten(file, "gradient.policy.", sizes),
              0,
              Judge.gradientTolerance(1),
              0);
      assertThat(finding.agrees()).as(finding.toString()).isTrue();
    }
  }

  @Test
  void givenParametersGiveTheSameBatch() throws IOException {
    Path first = folder.resolve("first.safetensors");
    Path second = folder.resolve("second.safetensors");
    String[] batch = {
      "batch",
      "--env",
      "meeting",
      "--policy",
      "mlp:4",
      "--weight",
      "total-return",
      "--baseline",
      "none"
    };
    assertThat(run(concatenate(batch, "--seed", "3", "--out", first.toString()))).isZero();
    assertThat(
            run(
                concatenate(
                    batch,
                    "--seed",
                    "3",
                    "--params",
                    first.toString(),
                    "--out",
                    second.toString())))
        .as(output.err())
        .isZero();
    assertThat(Files.readAllBytes(second)).isEqualTo(Files.readAllBytes(first));
    assertThat(
            run(
                concatenate(
                    batch,
                    "--seed",
                    "4",
                    "--params",
                    first.toString(),
                    "--out",
                    second.toString())))
        .isZero();
    try (Safetensors one = Safetensors.open(first);
        Safetensors other = Safetensors.open(second)) {
      assertThat(other.floats("policy.0.weight")).isEqualTo(one.floats("policy.0.weight"));
      assertThat(other.floats("observation")).isNotEqualTo(one.floats("observation"));
    }
  }

  @Test
  void wrongUseOfBatchIsOneLine() throws IOException {
    String out = folder.resolve("out.safetensors").toString();
    assertFails(2, "--out is missing", "--env", "meeting");
    assertFails(2, "--env is missing", "--out", out);
    assertFails(2, "chess", "--env", "chess", "--out", out);
    assertFails(2, "agents is 0", "--env", "simple_spread_v3", "--agents", "0", "--out", out);
    assertFails(2, "--envs is '0'", "--env", "meeting", "--envs", "0", "--out", out);
    assertFails(
        2, "--envs is 2000000000", "--env", "meeting", "--envs", "2000000000", "--out", out);
    assertFails(
        1, "folder cannot be written", "--env", "meeting", "--out", "/proc/none/out.safetensors");
    assertFails(1, "a folder; allowed: a file", "--env", "meeting", "--out", folder.toString());
    Path params = folder.resolve("params.safetensors");
    assertFails(
        1, "params.safetensors", "--env", "meeting", "--params", params.toString(), "--out", out);
    Files.writeString(params, "not safetensors");
    assertFails(
        1,
        "not a well-formed safetensors file",
        "--env",
        "meeting",
        "--params",
        params.toString(),
        "--out",
        out);
    Safetensors.writer().add("policy.0.weight", new float[6], 2, 3).write(params);
    String[] linear = {
      "--env", "meeting", "--policy", "linear", "--params", params.toString(), "--out", out
    };
    assertFails(1, "'policy.0.weight' has shape [2, 3]; allowed: [3, 9]", linear);
    Safetensors.writer().add("policy.0.weight", new float[27], 3, 9).write(params);
    assertFails(1, "no tensor 'policy.0.bias'", linear);
    float[] bias = {0, Float.NaN, 0};
    Safetensors.writer()
        .add("policy.0.weight", new float[27], 3, 9)
        .add("policy.0.bias", bias, 3)
        .write(params);
    assertThat(run(concatenate(new String[] {"batch"}, linear))).isIn(1, 2);
    assertThat(output.err()).containsIgnoringCase("nan");
    assertThat(Path.of(out)).doesNotExist();
  }

  private void assertFails(int status, String message, String... options) {
    assertThat(run(concatenate(new String[] {"batch"}, options)))
        .as(output.err())
        .isEqualTo(status);
    assertThat(output.err()).contains(message);
    assertThat(output.err().lines()).hasSize(1);
  }

  private int run(String... arguments) {
    output = Output.run(arguments);
    return output.status();
  }

  private static String[] concatenate(String[] first, String... second) {
    String[] all = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, all, first.length, second.length);
    return all;
  }

  private static float[] flatten(Safetensors file, String prefix, int[] sizes) throws IOException {
    float[] all = new float[ReferencePolicy.parameterCount(sizes)];
    int position = 0;
    for (int layer = 0; layer + 1 < sizes.length; layer++) {
      for (String part : List.of(".weight", ".bias")) {
        float[] values = file.floats(prefix + layer + part);
        System.arraycopy(values, 0, all, position, values.length);
        position += values.length;
      }
    }
    assertThat(position).isEqualTo(all.length);
    return all;
  }

  /** [episode, step, agent, feature] to the engine's order, which the reference reads. */
  private static Trajectories batch(Safetensors file, int actions) throws IOException {
    List<Long> shape = file.tensor("observation").shape();
    int episodes = shape.get(0).intValue();
    int steps = shape.get(1).intValue();
    Group group =
        new Group(
            "agent",
            0,
            shape.get(2).intValue(),
            shape.get(3).intValue(),
            actions,
            false,
            0,
            0,
            0,
            null);
    float[] observation = file.floats("observation");
    int[] action = file.ints("action");
    float[] weight = file.floats("weight");
    byte[] alive = file.bytes("alive");
    Trajectories batch =
        new Trajectories(
            group,
            episodes,
            steps,
            new float[observation.length],
            new int[action.length],
            null,
            null,
            new float[weight.length],
            new byte[alive.length],
            null,
            file.ints("episode_length"),
            null,
            null,
            null);
    int source = 0;
    for (int episode = 0; episode < episodes; episode++) {
      for (int step = 0; step < steps; step++) {
        for (int agent = 0; agent < group.agentCount(); agent++) {
          int index = batch.index(step, agent, episode);
          batch.action()[index] = action[source];
          batch.weight()[index] = weight[source];
          batch.alive()[index] = alive[source];
          for (int feature = 0; feature < group.observationSize(); feature++) {
            batch.observation()[batch.observationIndex(step, agent, feature, episode)] =
                observation[source * group.observationSize() + feature];
          }
          source++;
        }
      }
    }
    return batch;
  }
}
