// What `swarmgrad train --env ID` does where the command line is silent: the hyperparameters of
// every family of environments, and those of any other environment. What each reaches, what it took
// and what was tried instead is in docs/learning.md.
package org.swarmgrad.cli;

import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.swarmgrad.ActivationFunction;
import org.swarmgrad.Baseline;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Policy;
import org.swarmgrad.Scale;
import org.swarmgrad.Schedule;
import org.swarmgrad.Schedules;
import org.swarmgrad.Share;

/**
 * Defaults of one environment. A family's training ends after a number of iterations, mostly by
 * when its learning rate has come down to 0: the same result on every machine. Of an environment
 * that nobody has measured, only time can be limited.
 *
 * @param config of the engine
 * @param schedules of learning
 * @param iterations to train where no limit is given
 * @param seconds to train where no limit is given
 */
record TrainDefaults(EngineConfig config, Schedules schedules, long iterations, double seconds) {
  private static final Predicate<String> TALKING_PARTICLES =
      family("simple_speaker_listener_.*|simple_reference_.*");
  private static final Predicate<String> PURSUIT = family("simple_tag_.*");
  private static final Predicate<String> PARTICLES = family("simple_.*");
  private static final Predicate<String> COMMON_INTEREST = family("stag_hunt|common_interest");
  private static final Predicate<String> OWN_INTEREST =
      family("climbing|penalty|prisoners_dilemma");
  private static final Predicate<String> CARTPOLE = family("CartPole-v1");
  private static final Predicate<String> FORAGING = family("Foraging-.*");
  private static final Predicate<String> WAREHOUSE = family("rware-.*");
  private static final Predicate<String> KITCHEN = family("overcooked_.*");

  static TrainDefaults of(EnvironmentSpec environment) {
    EngineConfig.Builder config = EngineConfig.builder(environment).environments(64);
    String id = environment.id();
    if (TALKING_PARTICLES.test(id)) {
      // With more entropy no word comes to mean anything, with less one word means two things.
      config.discount(0.9).lambda(0.9);
      return particles(config, 28_000, 0.002, 0.0006);
    }
    if (PARTICLES.test(id)) {
      config.discount(0.95).lambda(0.95);
      // Later a prey learns to flee as fast as the hunters learn to catch it, and takes from them.
      return particles(config, PURSUIT.test(id) ? 4000 : 38_000, 0.001, 0);
    }
    if (CARTPOLE.test(id)) {
      return cosine(config.policy(Policy.mlp(32)).environments(32), 0.01, 200);
    }
    if (COMMON_INTEREST.test(id)) {
      return cosine(config.policy(Policy.linear()).share(Share.ALL), 0.05, 200);
    }
    if (OWN_INTEREST.test(id)) {
      // Where the gradient nearly vanishes on the way, Adam's usual memory would end the training.
      config.policy(Policy.linear()).environments(256).adamBeta2(0.95);
      return until(2000, config, Schedule.constant(0.02));
    }
    if (FORAGING.test(id)) {
      return grid(config, 8000);
    }
    if (WAREHOUSE.test(id)) {
      return grid(config, 1500);
    }
    if (KITCHEN.test(id)) {
      return grid(config.trainingParameter("shaped_reward=1"), 400);
    }
    // Of an environment that nobody has measured nothing is known: no discount, no bias but
    // entropy's.
    config.observationNormalisation(true).scale(Scale.RUNNING_DEVIATION).entropyCoefficient(0.001);
    EngineConfig any = config.build();
    return new TrainDefaults(any, Schedules.of(Schedule.constant(0.003), any), Long.MAX_VALUE, 45);
  }

  private static Predicate<String> family(String ids) {
    return Pattern.compile(ids).asMatchPredicate();
  }

  /**
   * Values of the joint state halve the steps that a score takes. Entropy, in a straight line down,
   * keeps agents from settling for the first way that works.
   */
  private static TrainDefaults particles(
      EngineConfig.Builder builder, long iterations, double entropy, double finalEntropy) {
    Policy network = Policy.mlp(64, 64);
    builder.policy(network).observationNormalisation(true);
    builder.baseline(Baseline.LEARNED_VALUE).valuePolicy(network);
    builder.scale(Scale.RUNNING_DEVIATION).entropyCoefficient(entropy);
    return cosine(builder, 0.004, iterations)
        .withEntropy(new Schedule(Schedule.Shape.LINEAR, entropy, finalEntropy, iterations));
  }

  /**
   * Rewards are rare in grid worlds: learned values say which steps led to one, for a little bias,
   * and some entropy keeps the search alive.
   */
  private static TrainDefaults grid(EngineConfig.Builder builder, long iterations) {
    Policy network = Policy.mlp(64, 64).withActivation(ActivationFunction.RELU);
    builder.environments(32).policy(network).observationNormalisation(true);
    builder.baseline(Baseline.LEARNED_VALUE).valuePolicy(network).lambda(0.98).discount(0.99);
    builder.scale(Scale.RUNNING_DEVIATION).entropyCoefficient(0.001);
    return cosine(builder, 0.003, iterations);
  }

  private static TrainDefaults cosine(EngineConfig.Builder builder, double rate, long iterations) {
    return until(iterations, builder, Schedule.cosine(rate, iterations));
  }

  private static TrainDefaults until(
      long iterations, EngineConfig.Builder builder, Schedule learningRate) {
    EngineConfig config = builder.build();
    Schedules schedules = Schedules.of(learningRate, config);
    return new TrainDefaults(config, schedules, iterations, Double.POSITIVE_INFINITY);
  }

  private TrainDefaults withEntropy(Schedule entropy) {
    Schedules others =
        new Schedules(schedules.learningRate(), schedules.valueLearningRate(), entropy);
    return new TrainDefaults(config, others, iterations, seconds);
  }
}
