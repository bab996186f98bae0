// One training on both backends: the same bits, checkpoints that go from one to the other, and
// users'
// own environments; and what only the CPU does is refused in words. Needs a CUDA engine's library.
package org.swarmgrad.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swarmgrad.Backend;
import org.swarmgrad.Checkpoint;
import org.swarmgrad.Device;
import org.swarmgrad.DeviceInfo;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.JavaEnvironment;
import org.swarmgrad.JavaMeeting;
import org.swarmgrad.LibraryException;
import org.swarmgrad.Policy;
import org.swarmgrad.Recording;
import org.swarmgrad.Schedule;
import org.swarmgrad.Swarmgrad;
import org.swarmgrad.SwarmgradException;
import org.swarmgrad.Trainer;
import org.swarmgrad.Trajectories;

@Tag("backends")
class BackendsTest {
  private static final Schedule SCHEDULE = Schedule.linear(0.02, 6);

  @TempDir Path folder;

  private static EngineConfig config(EnvironmentSpec environment, Device device) {
    return EngineConfig.builder(environment)
        .policy(Policy.mlp(9, 5))
        .environments(33)
        .horizon(12)
        .entropyCoefficient(0.01)
        .seed(3)
        .device(device)
        .build();
  }

  private static void assertSameBits(EnvironmentSpec environment) {
    try (Engine cpu = Engine.open(config(environment, Device.CPU));
        Engine cuda = Engine.open(config(environment, Device.CUDA))) {
      assertThat(cuda.train(SCHEDULE.rates(0, 4))).isEqualTo(cpu.train(SCHEDULE.rates(0, 4)));
      assertThat(cuda.parametersSha256()).isEqualTo(cpu.parametersSha256());
      Recording expected = cpu.record();
      Recording found = cuda.record();
      assertThat(found.gradient().values()).isEqualTo(expected.gradient().values());
      for (int group = 0; group < cpu.groups().size(); group++) {
        Trajectories one = expected.trajectories().get(group);
        Trajectories two = found.trajectories().get(group);
        assertThat(two.observation()).isEqualTo(one.observation());
        assertThat(two.action()).isEqualTo(one.action());
        assertThat(two.reward()).isEqualTo(one.reward());
        assertThat(two.logProbability()).isEqualTo(one.logProbability());
        assertThat(two.weight()).isEqualTo(one.weight());
        assertThat(two.episodeLength()).isEqualTo(one.episodeLength());
      }
    }
  }

  @Test
  void trainingsAndBatchesHaveTheSameBits() {
    assertSameBits(EnvironmentSpec.of("simple_spread_v3"));
    assertSameBits(EnvironmentSpec.of("smax_3m"));
  }

  @Test
  void aCheckpointGoesOnOnTheOtherBackend() {
    EnvironmentSpec environment = EnvironmentSpec.of("simple_tag_v3");
    String straight;
    try (Engine engine = Engine.open(config(environment, Device.CPU))) {
      new Trainer(engine, SCHEDULE).train(6);
      straight = engine.parametersSha256();
    }
    Device[] turns = {Device.CUDA, Device.CPU, Device.CUDA};
    Path file = folder.resolve("checkpoint.safetensors");
    for (int turn = 0; turn < turns.length; turn++) {
      try (Engine engine = Engine.open(config(environment, turns[turn]))) {
        Trainer trainer =
            turn == 0
                ? new Trainer(engine, SCHEDULE)
                : Trainer.resume(engine, Checkpoint.load(file));
        trainer.train(2);
        trainer.checkpoint().save(file);
        assertThat(Checkpoint.load(file).backend()).isEqualTo(turns[turn].backend());
        if (turn == turns.length - 1) {
          assertThat(engine.parametersSha256()).isEqualTo(straight);
        }
      }
    }
  }

  /** The template for the emulated device, whose code is a shared object. */
  private static final class EmulatedCompiler implements DeviceCompiler {
    private static final Path REPOSITORY = Path.of("..").toAbsolutePath().normalize();

    @Override
    public String identity() {
      return "emulation";
    }

    @Override
    public void compile(Path headers, Path header, Path code) throws IOException {
      List<String> command = new ArrayList<>(List.of("c++", "-shared", "-x", "c++"));
      for (String use : List.of("environment", "exact", "avx2")) {
        command.addAll(EnvironmentCompiler.flags(headers).get(use));
      }
      command.addAll(List.of("-DSWARMGRAD_EMULATION=1", "-DSWARMGRAD_TARGET=device"));
      command.addAll(List.of("-I" + REPOSITORY, "-I" + REPOSITORY.resolve("native")));
      command.addAll(List.of("-include", header.toString(), "-o", code.toString()));
      command.add(REPOSITORY.resolve("cuda/user_environment.cu").toString());
      Programs.Result result = new Programs(System.getenv("PATH")).run(command);
      assertThat(result.status()).as(result.messages()).isZero();
    }
  }

  @Test
  void aUsersHeaderPlaysTheSameOnBoth() throws IOException {
    Path header =
        Files.writeString(
            folder.resolve("both.hpp"), EnvironmentSpec.template().replace("my_game", "both"));
    EnvironmentSpec environment = EnvironmentSpec.compile(header);
    if (Boolean.getBoolean("test.emulated")) {
      DeviceCode emulated = new DeviceCode(folder.resolve("cache"), new EmulatedCompiler());
      UserEnvironments.giveToCuda(environment.id(), () -> emulated);
    }
    try {
      assertSameBits(environment);
    } catch (SwarmgradException failure) {
      assumeFalse(
          failure
              .getMessage()
              .startsWith("cudaLibraryLoadData answered 801, cudaErrorNotSupported"),
          "this implementation of the CUDA runtime loads no code");
      throw failure;
    }
  }

  @Test
  void environmentsWrittenInJavaAreRefusedByName() {
    JavaEnvironment java = JavaEnvironment.of("meeting", JavaMeeting::new);
    assertThatThrownBy(() -> Engine.open(EngineConfig.builder(java).device(Device.CUDA).build()))
        .isInstanceOf(LibraryException.class)
        .hasMessageContaining("java:meeting")
        .hasMessageContaining("run on the CPU engine only");
    try (Engine engine =
        Engine.open(EngineConfig.builder(java).environments(2).device(Device.AUTO).build())) {
      assertThat(engine.device()).isEqualTo(Device.CPU);
    }
  }

  @Test
  void autoIsTheDeviceThatIsThere() {
    assertThat(Swarmgrad.cudaFailure()).isEmpty();
    List<DeviceInfo> devices = Swarmgrad.cudaDevices();
    EngineConfig auto = config(EnvironmentSpec.of("meeting"), Device.AUTO);
    try (Engine engine = Engine.open(auto)) {
      assertThat(engine.device()).isEqualTo(Device.CUDA);
      assertThat(engine.processor()).isEqualTo(devices.get(0).name());
    }
    Device beyond = new Device(Backend.CUDA, devices.size());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Engine.open(auto.toBuilder().device(beyond).build()))
        .withMessage("device is " + devices.size() + "; allowed: 0 to " + (devices.size() - 1));
  }
}
