// Environments written in Java: the bits of their native form, and errors in place of dead JVMs.
package org.swarmgrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class JavaEnvironmentTest {
  private static final JavaEnvironment MEETING = JavaEnvironment.of("meeting", JavaMeeting::new);

  private static EngineConfig.Builder small(EngineConfig.Builder builder) {
    return builder.policy(Policy.mlp(8)).environments(100).seed(5);
  }

  private static double[] rates(int iterations) {
    return Schedule.constant(0.01).rates(0, iterations);
  }

  @Test
  void trainsToTheBitsOfTheNativeFormWhateverTheThreads() {
    try (Engine judge = Engine.open(small(EngineConfig.builder("meeting")).build())) {
      List<List<Statistics>> expected = judge.train(rates(20));
      List<Statistics> evaluation = judge.evaluate(3, 50, Acting.GREEDY);
      Recording recording = judge.record();
      for (int threads : new int[] {1, 2, 3}) {
        EngineConfig config = small(EngineConfig.builder(MEETING)).threads(threads).build();
        try (Engine engine = Engine.open(config)) {
          assertThat(engine.train(rates(20))).isEqualTo(expected);
          assertThat(engine.evaluate(3, 50, Acting.GREEDY)).isEqualTo(evaluation);
          assertThat(engine.parametersSha256()).isEqualTo(judge.parametersSha256());
          assertThat(engine.record().trajectories().get(0).observation())
              .isEqualTo(recording.trajectories().get(0).observation());
        }
      }
    }
  }

  @Test
  void aCheckpointNamesTheEnvironmentWhichMustBeGivenAgain() {
    EngineConfig config = small(EngineConfig.builder(MEETING)).build();
    assertThat(config.toMap()).containsEntry("environment", "java:meeting");
    EngineConfig read = EngineConfig.fromMap(config.toMap());
    assertThat(read.javaEnvironment()).isEmpty();
    assertThatThrownBy(() -> Engine.open(read))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("java:meeting, which is written in Java")
        .hasMessageContaining("JavaEnvironment.of");
    assertThat(read.toBuilder().environment(MEETING).build().toMap()).isEqualTo(config.toMap());
  }
}
