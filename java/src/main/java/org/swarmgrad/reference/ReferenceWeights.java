// Weights of recorded rewards, one definition after the other, in double precision; the judge of
// the engine's own.
package org.swarmgrad.reference;

import org.swarmgrad.AgentReduction;
import org.swarmgrad.Baseline;
import org.swarmgrad.Trajectories;
import org.swarmgrad.Weight;

/**
 * Weights of recorded rewards in double precision, one definition after the other; not the engine's
 * formulas.
 */
public final class ReferenceWeights {
  private static final int COHORT_WIDTH = 16;

  private ReferenceWeights() {}

  private static double own(Trajectories batch, int step, int agent, int environment) {
    return step < batch.episodeLength()[environment]
        ? batch.reward()[batch.index(step, agent, environment)]
        : 0;
  }

  private static double team(Trajectories batch, int step, int environment) {
    double sum = 0;
    for (int agent = 0; agent < batch.group().agentCount(); agent++) {
      sum += own(batch, step, agent, environment);
    }
    return sum;
  }

  /**
   * What multiplies grad log pi, before any baseline.
   *
   * @param batch whose rewards count up to each episode's length, dead agents' included
   * @param weight the definition
   * @param discount per step
   * @return [step][agent][environment], also after an episode's end
   */
  public static double[] values(Trajectories batch, Weight weight, double discount) {
    double[] values = new double[batch.steps() * batch.group().agentCount() * batch.environments()];
    for (int step = 0; step < batch.steps(); step++) {
      for (int agent = 0; agent < batch.group().agentCount(); agent++) {
        for (int environment = 0; environment < batch.environments(); environment++) {
          double sum = 0;
          for (int later = 0; later < batch.steps(); later++) {
            sum +=
                switch (weight) {
                  case TOTAL_RETURN -> Math.pow(discount, later) * team(batch, later, environment);
                  case OWN_RETURN ->
                      Math.pow(discount, later) * own(batch, later, agent, environment);
                  case REWARD_TO_GO ->
                      later < step
                          ? 0
                          : Math.pow(discount, later - step) * team(batch, later, environment);
                  case DISCOUNTED_STATE_WEIGHT ->
                      later < step
                          ? 0
                          : Math.pow(discount, later) * team(batch, later, environment);
                };
          }
          values[(step * batch.group().agentCount() + agent) * batch.environments() + environment] =
              sum;
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
   * The weights as the engine should round them.
   *
   * @param batch whose rewards, lengths and alive flags are used
   * @param weight the definition
   * @param discount per step
   * @param baseline what is subtracted
   * @param cohortFirst [cohort + 1], used by leave-one-out
   * @param previous [step] of the previous batch, used by previous-batch; see {@link
   *     #meanOverEpisodes}
   * @param reduction of agents
   * @param scale a constant known before the batch
   * @return [step][agent][environment], 0 where the agent does not live
   */
  public static double[] weights(
      Trajectories batch,
      Weight weight,
      double discount,
      Baseline baseline,
      long[] cohortFirst,
      double[] previous,
      AgentReduction reduction,
      double scale) {
    double[] values = values(batch, weight, discount);
    double[] weights = new double[values.length];
    double factor = reduction == AgentReduction.MEAN ? scale / batch.group().agentCount() : scale;
    for (int cohort = 0; cohort + 1 < cohortFirst.length; cohort++) {
      int begin = (int) cohortFirst[cohort];
      int end = (int) cohortFirst[cohort + 1];
      for (int row = 0; row < batch.steps() * batch.group().agentCount(); row++) {
        for (int environment = begin; environment < end; environment++) {
          double subtracted =
              switch (baseline) {
                case NONE -> 0;
                case LEAVE_ONE_OUT ->
                    meanOfOthers(values, row * batch.environments(), begin, end, environment);
                case PREVIOUS_BATCH, LEARNED_VALUE -> previous[row / batch.group().agentCount()];
              };
          int index = row * batch.environments() + environment;
          boolean ended = row / batch.group().agentCount() >= batch.episodeLength()[environment];
          boolean acts = !ended && batch.alive()[index] != 0;
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
   * The baseline that a batch leaves for the next one: one number a group and step. For own-return,
   * where agents differ, it is the mean over agents as well.
   *
   * @param batch whose values these are
   * @param values [step][agent][environment] before any baseline
   * @return [step]: the mean over all episodes, ended ones included
   */
  public static double[] meanOverEpisodes(Trajectories batch, double[] values) {
    double[] mean = new double[batch.steps()];
    int rowsPerStep = batch.group().agentCount() * batch.environments();
    for (int step = 0; step < mean.length; step++) {
      for (int row = 0; row < rowsPerStep; row++) {
        mean[step] += values[step * rowsPerStep + row] / rowsPerStep;
      }
    }
    return mean;
  }
}
