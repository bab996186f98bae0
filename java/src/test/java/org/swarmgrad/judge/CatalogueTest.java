// Every environment of the catalogue: judged, trained, stopped and resumed.
package org.swarmgrad.judge;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.swarmgrad.Catalogue;
import org.swarmgrad.Checkpoint;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.Recording;
import org.swarmgrad.Schedule;
import org.swarmgrad.Trainer;
import org.swarmgrad.Trajectories;

/**
 * Every environment of the catalogue: the batch agrees with the reference, and a stopped training
 * goes on with the same bits.
 */
@Tag("contract")
class CatalogueTest {
  @TempDir Path folder;

  private static Stream<EngineConfig> configurations() {
    return Catalogue.configurations();
  }

  @ParameterizedTest
  @MethodSource("configurations")
  void theBatchAgreesWithTheReference(EngineConfig config) {
    try (Engine engine = Engine.open(config)) {
      JudgedEngine.drawParameters(engine, 3);
      engine.train(0.001);
      Recording recording = JudgedEngine.assertAgrees(engine);
      for (Trajectories batch : recording.trajectories()) {
        for (float value : batch.observation()) {
          assertThat(value).isFinite();
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("configurations")
  void aStoppedTrainingGoesOnWithTheSameBits(EngineConfig config) {
    Schedule schedule = Schedule.linear(0.02, 5);
    Path file = folder.resolve("checkpoint.safetensors");
    String straight;
    try (Engine engine = Engine.open(config)) {
      new Trainer(engine, schedule).train(5);
      straight = engine.parametersSha256();
    }
    try (Engine engine = Engine.open(config)) {
      Trainer trainer = new Trainer(engine, schedule);
      trainer.train(2);
      trainer.checkpoint().save(file);
    }
    try (Engine engine = Engine.open(config.toBuilder().threads(1).build())) {
      Trainer.resume(engine, Checkpoint.load(file)).train(3);
      assertThat(engine.parametersSha256()).isEqualTo(straight);
    }
  }

  @Test
  void everyWayOfEndingAndActingIsAmongThem() {
    Set<String> seen = new HashSet<>();
    configurations()
        .forEach(
            config -> {
              try (Engine engine = Engine.open(config)) {
                Recording recording = engine.record();
                if (recording.trajectories().size() > 1) {
                  seen.add("groups");
                }
                recording.trajectories().forEach(batch -> look(batch, seen));
              }
            });
    assertThat(seen).containsExactlyInAnyOrder("groups", "mask", "early end", "death");
  }

  private static void look(Trajectories batch, Set<String> seen) {
    if (batch.group().masked()) {
      seen.add("mask");
    }
    for (int environment = 0; environment < batch.environments(); environment++) {
      int length = batch.episodeLength()[environment];
      if (length < batch.steps()) {
        seen.add("early end");
      }
      for (int agent = 0; agent < batch.group().agentCount(); agent++) {
        if (batch.alive()[batch.index(length - 1, agent, environment)] == 0) {
          seen.add("death");
        }
      }
    }
  }
}
