// Configuration values: what their constructors refuse, with which words, and that text and values
// are two forms of one thing.
package org.swarmgrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigurationTest {
  @ParameterizedTest
  @ValueSource(strings = {"linear", "mlp:64,64", "mlp:1", "mlp:1024,1,2,3", "mlp:64:relu"})
  void policiesAreReadAsWritten(String text) {
    assertThat(Policy.parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "mlp",
        "mlp:",
        "mlp:0",
        "mlp:1025",
        "mlp:-1",
        "mlp:1,2,3,4,5",
        "mlp:64,",
        "mlp:64:gelu",
        "mlp:64:relu:x",
        "linear:relu",
        "mlp:99999999999",
        "cnn:3"
      })
  void otherPoliciesAreRefused(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Policy.parse(text))
        .withMessage(
            "policy is '"
                + text
                + "'; allowed: linear, or mlp:h1,...,h4 with 1 to 4 sizes of 1 to 1024, optionally"
                + " followed by :tanh or :relu");
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "cuda", "cuda:1", "cuda:2147483647", "auto"})
  void devicesAreReadAsWritten(String text) {
    assertThat(Device.parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "CPU", "gpu", "cpu:1", "auto:1", "cuda:", "cuda:-1", "cuda:2147483648"})
  void otherDevicesAreRefused(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Device.parse(text))
        .withMessage("device is '" + text + "'; allowed: cpu, cuda, cuda:INDEX, auto");
  }

  @Test
  void onlyGpusHaveAnIndex() {
    assertThat(Device.parse("cuda:0")).isEqualTo(Device.CUDA);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Device(Backend.CPU, 1))
        .withMessage("index of device cpu is 1; allowed: 0 to 0");
  }

  @Test
  void theDeviceDecidesNothingOfTheResult() {
    EngineConfig config = EngineConfig.of(EnvironmentSpec.of("meeting"));
    EngineConfig elsewhere = config.toBuilder().backend(Backend.CUDA).build();
    assertThat(elsewhere.device()).isEqualTo(Device.CUDA);
    assertThat(config.differences(elsewhere)).isEmpty();
    assertThat(config).isNotEqualTo(elsewhere);
  }

  @Test
  void anExplicitTanhIsTheDefault() {
    assertThat(Policy.parse("mlp:8:tanh")).isEqualTo(Policy.mlp(8));
  }

  @Test
  void choicesAreWrittenInWordsOfTheField() {
    assertThat(Weight.values())
        .extracting(Weight::toString)
        .containsExactly("total-return", "reward-to-go", "own-return", "discounted-state-weight");
    assertThat(Baseline.parse("leave-one-out")).isEqualTo(Baseline.LEAVE_ONE_OUT);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Weight.parse("gae"))
        .withMessage(
            "weight is 'gae'; allowed: total-return, reward-to-go, own-return,"
                + " discounted-state-weight");
  }

  @Test
  void environmentsAreReadAsWritten() {
    assertThat(EnvironmentSpec.parse("simple_spread_v3")).hasToString("simple_spread_v3");
    EnvironmentSpec spec = EnvironmentSpec.parse("simple_spread_v3?local_ratio=0.2&agents=5");
    assertThat(spec).hasToString("simple_spread_v3?agents=5&local_ratio=0.2");
    assertThat(spec.parameter("local_ratio")).isEqualTo(0.2);
    assertThat(EnvironmentSpec.parse("simple_spread_v3?agents=3"))
        .isEqualTo(EnvironmentSpec.of("simple_spread_v3"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "simple_spread_v2", "simple_spread_v3 ", "x"})
  void unknownEnvironmentsAreRefused(String id) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> EnvironmentSpec.parse(id))
        .withMessageStartingWith("environment is \"" + id + "\"; known: ")
        .withMessageContaining("simple_spread_v3");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../x", "./game.hpp?agents=3", "game.so"})
  void filesThatDoNotExistAreRefused(String path) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> EnvironmentSpec.parse(path))
        .withMessageStartingWith(
            "environment is '" + path.replaceAll("\\?.*", "") + "', which is no file");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "agents=0",
        "agents=2.5",
        "agents=-1",
        "agents=x",
        "agents=NaN",
        "local_ratio=2",
        "local_ratio=NaN",
        "local_ratio=",
        "colour=3",
        "agents",
        "",
        "=1"
      })
  void otherParametersAreRefused(String assignment) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> EnvironmentSpec.parse("simple_spread_v3?" + assignment))
        .withMessageContaining("; allowed: ");
  }

  private static void refused(String message, UnaryOperator<EngineConfig.Builder> change) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> change.apply(EngineConfig.builder("simple_spread_v3")).build())
        .withMessage(message);
  }

  @Test
  void valuesOutsideTheirRangeAreRefused() {
    refused("environments is 0; allowed: 1 to 2147483647", builder -> builder.environments(0));
    refused(
        "environments is 2147483648; allowed: 1 to 2147483647",
        builder -> builder.environments(1L << 31));
    refused("horizon is -1; allowed: 0 to 2147483647", builder -> builder.horizon(-1));
    refused("discount is NaN; allowed: 0 to 1", builder -> builder.discount(Double.NaN));
    refused("discount is 1.5; allowed: 0 to 1", builder -> builder.discount(1.5));
    refused(
        "entropy-coefficient is -1; allowed: 0 to any finite float",
        builder -> builder.entropyCoefficient(-1));
    refused(
        "gradient-clip is Infinity; allowed: 0 to any finite float",
        builder -> builder.gradientClip(Double.POSITIVE_INFINITY));
    refused("threads is -1; allowed: 0 to 4096", builder -> builder.threads(-1));
    refused("policy is null; a value is needed", builder -> builder.policy(null));
    refused("weight is null; a value is needed", builder -> builder.weight(null));
    refused(
        "number of policies is 0; allowed: 1 to 2147483647",
        builder -> builder.policies(List.of()));
    refused(
        "baseline is leave-one-out with 1 environment, which leaves nothing; allowed: none,"
            + " previous-batch, learned-value, or at least 2 environments",
        builder -> builder.environments(1));
  }

  @Test
  void aConfigurationIsReadAsWritten() {
    EngineConfig config =
        EngineConfig.builder("simple_spread_v3?agents=2")
            .policy(Policy.parse("mlp:8,9:relu"))
            .environments(17)
            .horizon(5)
            .seed(-1)
            .discount(0.1 + 0.2)
            .weight(Weight.DISCOUNTED_STATE_WEIGHT)
            .baseline(Baseline.PREVIOUS_BATCH)
            .agentReduction(AgentReduction.MEAN)
            .scale(Scale.RUNNING_DEVIATION)
            .entropyCoefficient(1e-3)
            .gradientClip(0.5)
            .optimizer(Optimizer.SGD)
            .adamBeta1(0.8)
            .adamBeta2(0.99)
            .adamEpsilon(1e-6)
            .share(Share.ALL)
            .agentIndex(true)
            .valuePolicies(EngineConfig.parsePolicies("mlp:3;linear"))
            .valueInput(ValueInput.OWN)
            .lambda(0.95)
            .bootstrap(true)
            .observationNormalisation(true)
            .rewardScale(0.01)
            .build();
    assertThat(EngineConfig.fromMap(config.toMap())).isEqualTo(config);
    assertThat(config.toMap()).containsEntry("seed", "18446744073709551615");
    assertThat(config.toBuilder().build()).isEqualTo(config);
  }

  @Test
  void machineChoicesAreNoPartOfWhatIsComputed() {
    EngineConfig config = EngineConfig.of(EnvironmentSpec.of("simple_spread_v3"));
    EngineConfig elsewhere =
        config.toBuilder().threads(3).instructionSet(InstructionSet.AVX2).build();
    assertThat(config.differences(elsewhere)).isEmpty();
    assertThat(config.differences(config.toBuilder().seed(4).build()))
        .containsExactly("seed: 0, 4");
  }

  @Test
  void everyDefaultOfTheLibraryFitsItsOwnRange() {
    for (EnvironmentInfo info : Swarmgrad.environments()) {
      assertThat(info.id()).isNotBlank();
      assertThat(info.summary()).isNotBlank().doesNotContain("\n");
      assertThat(info.description()).isNotBlank();
      for (EnvironmentParameter parameter : info.parameters()) {
        assertThat(parameter.check(parameter.defaultValue())).isEqualTo(parameter.defaultValue());
        assertThat(parameter.parse(parameter.format(parameter.defaultValue())))
            .isEqualTo(parameter.defaultValue());
      }
    }
  }

  @Test
  void schedulesGoFromStartToEndAndStay() {
    assertThat(Schedule.constant(0.1).rate(1_000_000)).isEqualTo(0.1);
    Schedule linear = Schedule.linear(0.4, 4);
    assertThat(linear.rates(0, 6))
        .containsExactly(new double[] {0.4, 0.3, 0.2, 0.1, 0, 0}, within(1e-15));
    Schedule cosine = Schedule.cosine(0.4, 4);
    assertThat(cosine.rate(0)).isEqualTo(0.4);
    assertThat(cosine.rate(2)).isCloseTo(0.2, within(1e-15));
    assertThat(cosine.rate(4)).isZero();
    assertThat(Schedule.fromMap(cosine.toMap("entropy"), "entropy")).isEqualTo(cosine);
    Schedules schedules =
        new Schedules(linear, cosine, new Schedule(Schedule.Shape.LINEAR, 0.02, 0.01, 10));
    assertThat(Schedules.fromMap(schedules.toMap())).isEqualTo(schedules);
    assertThat(schedules.rates(4, 2)[1].learningRate()).isZero();
    assertThat(schedules.rates(4, 2)[1].entropyCoefficient()).isCloseTo(0.015, within(1e-15));
  }

  @Test
  void schedulesRefuseWhatIsNoRate() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Schedule.constant(Double.NaN))
        .withMessage("start of a schedule is NaN; allowed: 0 to any finite float");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Schedule.linear(0.1, 0))
        .withMessage("schedule iterations is 0; allowed: 1 to 9223372036854775807");
  }
}
