// What `swarmgrad train --env ID` does where the command line is silent, for every environment in
// one place; each is chosen
// so that a good policy appears within a minute on two cores. Small batches learn most from the
// same number of agent-steps:
// simple_spread reaches a team return of -29 after 48 million with 256 episodes a batch, of -31
// with 512.
package org.swarmgrad.cli;

import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Policy;

/**
 * Defaults of one environment.
 *
 * @param config of the engine
 * @param learningRate of Adam, constant
 * @param seconds to train where no limit is given
 */
record TrainDefaults(EngineConfig config, double learningRate, double seconds) {
  static TrainDefaults of(EnvironmentSpec environment) {
    EngineConfig.Builder builder = EngineConfig.builder(environment);
    return switch (environment.id()) {
      case "meeting" ->
          new TrainDefaults(builder.policy(Policy.linear()).environments(256).build(), 0.05, 5);
      case "CartPole-v1" -> new TrainDefaults(builder.environments(256).build(), 0.005, 30);
      default -> new TrainDefaults(builder.environments(256).build(), 0.003, 45);
    };
  }
}
