// Weights of recorded rewards, one definition after the other, in double precision; the judge of
// the engine's own.
package org.swarmgrad.reference;

import org.swarmgrad.AgentReduction;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.Scale;
import org.swarmgrad.Trajectories;
import org.swarmgrad.Weight;

/**
 * Weights of one group's recorded rewards in double precision, one definition after the other; not
 * the engine's formulas.
 */
public final class ReferenceWeights {
  private static final int COHORT_WIDTH = 16;

  private final EngineConfig config;
  private final Past past;
  private final Trajectories batch;

  /**
   * What earlier batches left to a group.
   *
   * @param mean [step] of the values of the batch before; for a weight that is one number an
   *     episode the same at every step; see {@link #meanOverEpisodes}
   * @param deviation of the team's returns over all earlier batches, 1 where there is none
   */
  public record Past(double[] mean, double deviation) {
    /**
     * Before the first batch.
     *
     * @param steps of an episode
     * @return a mean of 0 and a deviation of 1
     */
    public static Past none(int steps) {
      return new Past(new double[steps], 1);
    }
  }

  /**
   * The weights of a batch.
   *
   * @param config whose definitions count
   * @param past what earlier batches left
   * @param batch whose rewards, lengths, alive and truncated flags, and values of states are used;
   *     rewards count up to each episode's length, dead agents' included
   */
  public ReferenceWeights(EngineConfig config, Past past, Trajectories batch) {
    this.config = config;
    this.past = past;
    this.batch = batch;
  }

  private double own(int step, int agent, int environment) {
    return step < batch.episodeLength()[environment]
        ? batch.reward()[batch.index(step, agent, environment)]
        : 0;
  }

  private double team(int step, int environment) {
    double sum = 0;
    for (int agent = 0; agent < batch.group().agentCount(); agent++) {
      sum += own(step, agent, environment);
    }
    return sum;
  }

  /** What a state was expected to be worth, in units of returns. */
  private double expected(int step, int agent, int environment) {
    int row = batch.group().valueNetwork().agents() == 1 ? 0 : agent;
    return past.mean[step]
        + past.deviation * batch.value()[batch.valueIndex(step, row, environment)];
  }

  /** Of the state after the last step, whose previous mean is that of the step before. */
  private double expectedAtTheEnd(int environment) {
    int length = batch.episodeLength()[environment];
    return past.mean[length - 1]
        + past.deviation * batch.value()[batch.valueIndex(length, 0, environment)];
  }

  /** Rewards of `count` steps from `step` on, discounted. */
  private double rewards(int step, int count, int environment) {
    double sum = 0;
    for (int later = step; later < step + count; later++) {
      sum += Math.pow(config.discount(), later - step) * team(later, environment);
    }
    return sum;
  }

  /**
   * The mixture of all n-step returns (Sutton and Barto 2018, equation 12.3). With lambda 1 and no
   * bootstrapping it is the return.
   */
  private double rewardToGo(int step, int environment) {
    int left = batch.episodeLength()[environment] - step;
    if (left <= 0) {
      return 0;
    }
    double sum = 0;
    for (int count = 1; count < left && config.lambda() < 1; count++) {
      double value =
          rewards(step, count, environment)
              + Math.pow(config.discount(), count) * expected(step + count, 0, environment);
      sum += (1 - config.lambda()) * Math.pow(config.lambda(), count - 1) * value;
    }
    double whole = rewards(step, left, environment);
    if (config.bootstrap() && batch.truncated()[environment] != 0) {
      whole += Math.pow(config.discount(), left) * expectedAtTheEnd(environment);
    }
    return sum + Math.pow(config.lambda(), left - 1) * whole;
  }

  private double value(int step, int agent, int environment) {
    double discount = config.discount();
    double sum = 0;
    switch (config.weight()) {
      case TOTAL_RETURN -> sum = rewards(0, batch.steps(), environment);
      case REWARD_TO_GO -> sum = rewardToGo(step, environment);
      case DISCOUNTED_STATE_WEIGHT -> {
        for (int later = step; later < batch.steps(); later++) {
          sum += Math.pow(discount, later) * team(later, environment);
        }
      }
      case OWN_RETURN -> {
        for (int later = 0; later < batch.steps(); later++) {
          sum += Math.pow(discount, later) * own(later, agent, environment);
        }
      }
    }
    return sum;
  }

  /**
   * What multiplies grad log pi, before any baseline.
   *
   * @return [step][agent][environment], also after an episode's end
   */
  public double[] values() {
    double[] values = new double[batch.steps() * batch.group().agentCount() * batch.environments()];
    for (int step = 0; step < batch.steps(); step++) {
      for (int agent = 0; agent < batch.group().agentCount(); agent++) {
        for (int environment = 0; environment < batch.environments(); environment++) {
          values[batch.index(step, agent, environment)] = value(step, agent, environment);
        }
      }
    }
    return values;
  }

  /**
   * The engine's partition of a batch into cohorts.
   *
   * @param environments in the batch
   * @return [cohort + 1]: the first environment of each, and the count at the end
   */
  public static long[] cohorts(long environments) {
    long count = (environments + COHORT_WIDTH - 1) / COHORT_WIDTH;
    long[] first = new long[(int) count + 1];
    for (int cohort = 0; cohort <= count; cohort++) {
      first[cohort] = cohort * environments / count;
    }
    return first;
  }

  /**
   * What multiplies every weight.
   *
   * @return a constant known before the batch
   */
  public double factor() {
    double scale = config.scale() == Scale.RUNNING_DEVIATION ? 1 / past.deviation : 1;
    boolean mean = config.agentReduction() == AgentReduction.MEAN;
    return config.rewardScale() * scale / (mean ? batch.group().agentCount() : 1);
  }

  private boolean acts(int step, int agent, int environment) {
    return step < batch.episodeLength()[environment]
        && batch.alive()[batch.index(step, agent, environment)] != 0;
  }

  /**
   * The weights as the engine should round them.
   *
   * @param cohortFirst [cohort + 1], used by leave-one-out
   * @return [step][agent][environment], 0 where the agent does not live
   */
  public double[] weights(long[] cohortFirst) {
    double[] values = values();
    double[] weights = new double[values.length];
    double factor = factor();
    for (int cohort = 0; cohort + 1 < cohortFirst.length; cohort++) {
      int begin = (int) cohortFirst[cohort];
      int end = (int) cohortFirst[cohort + 1];
      for (int row = 0; row < batch.steps() * batch.group().agentCount(); row++) {
        int step = row / batch.group().agentCount();
        int agent = row % batch.group().agentCount();
        for (int environment = begin; environment < end; environment++) {
          double subtracted =
              switch (config.baseline()) {
                case NONE -> 0;
                case LEAVE_ONE_OUT ->
                    meanOfOthers(values, row * batch.environments(), begin, end, environment);
                case PREVIOUS_BATCH -> past.mean[step];
                case LEARNED_VALUE -> expected(step, agent, environment);
              };
          int index = row * batch.environments() + environment;
          boolean acts = acts(step, agent, environment);
          weights[index] = acts ? (values[index] - subtracted) * factor : 0;
        }
      }
    }
    return weights;
  }

  private static double meanOfOthers(double[] values, int row, int begin, int end, int own) {
    double sum = 0;
    for (int other = begin; other < end; other++) {
      if (other != own) {
        sum += values[row + other];
      }
    }
    return sum / (end - begin - 1);
  }

  /**
   * What the value network's outputs are off: (value - mean) / deviation - output. Its gradient is
   * that of minus half the sum of their squares.
   *
   * @return [step][value agent][environment], 0 where nobody that the row is of lives
   */
  public double[] valueErrors() {
    int agents = batch.group().valueNetwork().agents();
    double[] errors = new double[batch.steps() * agents * batch.environments()];
    for (int step = 0; step < batch.steps(); step++) {
      for (int row = 0; row < agents; row++) {
        for (int environment = 0; environment < batch.environments(); environment++) {
          int index = batch.valueIndex(step, row, environment);
          double aim = (value(step, row, environment) - past.mean[step]) / past.deviation;
          errors[index] =
              ReferenceGradient.valueRowLives(batch, step, row, environment)
                  ? aim - batch.value()[index]
                  : 0;
        }
      }
    }
    return errors;
  }

  /**
   * What this batch leaves for the next one's baseline: one number a group and step, or a group for
   * a weight that is one number an episode. For own-return, where agents differ, it is the mean
   * over agents as well.
   *
   * @return [step]: the mean over all episodes, ended ones included
   */
  public double[] meanOverEpisodes() {
    double[] values = values();
    double[] mean = new double[batch.steps()];
    int rowsPerStep = batch.group().agentCount() * batch.environments();
    for (int step = 0; step < mean.length; step++) {
      for (int row = 0; row < rowsPerStep; row++) {
        mean[step] += values[step * rowsPerStep + row] / rowsPerStep;
      }
    }
    return mean;
  }

  /**
   * The undiscounted return of the team, of which the running deviation is made.
   *
   * @return [environment]
   */
  public double[] teamReturns() {
    double[] returns = new double[batch.environments()];
    for (int environment = 0; environment < returns.length; environment++) {
      for (int step = 0; step < batch.steps(); step++) {
        returns[environment] += team(step, environment);
      }
    }
    return returns;
  }

  /**
   * Whether a weight is one number a step, or one an episode.
   *
   * @param weight to ask about
   * @return true where its mean is kept for every step
   */
  public static boolean isPerStep(Weight weight) {
    return weight == Weight.REWARD_TO_GO || weight == Weight.DISCOUNTED_STATE_WEIGHT;
  }
}
