// The meeting game summed over all its trajectories in double precision; not the environment that
// trains.
package org.swarmgrad.reference;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * The three-cell meeting game summed over every joint trajectory in double precision: its expected
 * return and its gradient by the product rule, which owes nothing to the score-function identity
 * that REINFORCE rests on.
 */
public final class Meeting {
  /** Agents of the team. */
  public static final int AGENTS = 2;

  /** Steps of an episode. */
  public static final int STEPS = 2;

  /** Features of an observation: one-hot of own cell x 3 + the other's cell. */
  public static final int FEATURES = 9;

  /** Left, stay, right. */
  public static final int ACTIONS = 3;

  private static final int CELLS = 3;
  private static final int LEFT = 0;
  private static final int STAY = 1;
  private static final int RIGHT = 2;
  private static final int[][] STARTS = {{0, 2}, {0, 1}, {2, 1}};
  private static final double[] START_PROBABILITY = {0.5, 0.3, 0.2};

  private Meeting() {}

  /** The reward rules, in the order of the environment's parameter. */
  public enum Rule {
    /** 1 for meeting, 0.7 if the other went right, -0.3 if the other ended in cell 0. */
    GIFT,
    /** 1 for meeting less 0.1 for every agent that moved, the same for both. */
    TEAM,
    /** Half the own cell, -0.2 for going left: nothing of the other's. */
    INDEPENDENT;

    private double reward(int own, int ownAction, int other, int otherAction) {
      double meet = own == other ? 1 : 0;
      return switch (this) {
        case GIFT -> meet + (otherAction == RIGHT ? 0.7 : 0) - (other == 0 ? 0.3 : 0);
        case TEAM -> meet - 0.1 * ((ownAction == STAY ? 0 : 1) + (otherAction == STAY ? 0 : 1));
        case INDEPENDENT -> 0.5 * own - (ownAction == LEFT ? 0.2 : 0);
      };
    }
  }

  /**
   * One joint trajectory.
   *
   * @param startProbability of its first state
   * @param observation [step + 1][agent]: the index that is 1, after the last step too
   * @param action [step][agent]
   * @param reward [step][agent]
   */
  public record Trajectory(
      double startProbability, int[][] observation, int[][] action, double[][] reward) {
    /**
     * Sum of all rewards.
     *
     * @return the team's return
     */
    public double teamReturn() {
      return rewardToGo(0);
    }

    /**
     * Sum of the rewards from a step on.
     *
     * @param step the first
     * @return 0 after the last
     */
    public double rewardToGo(int step) {
      double sum = 0;
      for (int later = step; later < STEPS; later++) {
        for (double value : reward[later]) {
          sum += value;
        }
      }
      return sum;
    }

    /**
     * Sum of discounted rewards.
     *
     * @param discount per step
     * @return the team's discounted return
     */
    public double discountedReturn(double discount) {
      double sum = 0;
      for (int step = 0; step < STEPS; step++) {
        sum += Math.pow(discount, step) * (rewardToGo(step) - rewardToGo(step + 1));
      }
      return sum;
    }

    /**
     * Probability under a policy.
     *
     * @param policy [observation][action]
     * @return start probability times the probability of each action
     */
    public double probability(double[][] policy) {
      double product = startProbability;
      for (int step = 0; step < STEPS; step++) {
        for (int agent = 0; agent < AGENTS; agent++) {
          product *= policy[observation[step][agent]][action[step][agent]];
        }
      }
      return product;
    }
  }

  /**
   * Every joint trajectory.
   *
   * @param rule of the rewards
   * @return 243: 3 starts x 9 joint actions x 9
   */
  public static List<Trajectory> trajectories(Rule rule) {
    List<Trajectory> all = new ArrayList<>();
    int jointActions = ACTIONS * ACTIONS;
    for (int start = 0; start < STARTS.length; start++) {
      for (int code = 0; code < jointActions * jointActions; code++) {
        int[] joint = {code / jointActions, code % jointActions};
        int[] cell = STARTS[start].clone();
        int[][] observation = new int[STEPS + 1][];
        int[][] action = new int[STEPS][AGENTS];
        double[][] reward = new double[STEPS][AGENTS];
        for (int step = 0; step < STEPS; step++) {
          action[step] = new int[] {joint[step] / ACTIONS, joint[step] % ACTIONS};
          observation[step] = observe(cell);
          for (int agent = 0; agent < AGENTS; agent++) {
            cell[agent] = Math.clamp(cell[agent] + action[step][agent] - STAY, 0, CELLS - 1);
          }
          for (int agent = 0; agent < AGENTS; agent++) {
            reward[step][agent] =
                rule.reward(
                    cell[agent], action[step][agent], cell[1 - agent], action[step][1 - agent]);
          }
        }
        observation[STEPS] = observe(cell);
        all.add(new Trajectory(START_PROBABILITY[start], observation, action, reward));
      }
    }
    return all;
  }

  private static int[] observe(int[] cell) {
    return new int[] {cell[0] * CELLS + cell[1], cell[1] * CELLS + cell[0]};
  }

  /**
   * The policy of given logits.
   *
   * @param logit [observation][action]
   * @return probabilities [observation][action]
   */
  public static double[][] policy(double[][] logit) {
    double[][] policy = new double[FEATURES][];
    for (int observation = 0; observation < FEATURES; observation++) {
      policy[observation] =
          Softmax.logProbability(logit[observation], new boolean[] {true, true, true});
      for (int action = 0; action < ACTIONS; action++) {
        policy[observation][action] = Math.exp(policy[observation][action]);
      }
    }
    return policy;
  }

  /**
   * The expected team return J.
   *
   * @param rule of the rewards
   * @param logit [observation][action]
   * @return sum over trajectories of probability x return
   */
  public static double expectedReturn(Rule rule, double[][] logit) {
    double[][] policy = policy(logit);
    return trajectories(rule).stream()
        .mapToDouble(one -> one.probability(policy) * one.teamReturn())
        .sum();
  }

  /**
   * The gradient of J.
   *
   * @param rule of the rewards
   * @param logit [observation][action]
   * @return [observation][action]: sum over trajectories of return x derivative of the probability,
   *     a product of four softmaxes, factor by factor
   */
  public static double[][] gradient(Rule rule, double[][] logit) {
    return gradient(rule, logit, Trajectory::teamReturn);
  }

  /**
   * The gradient of the expectation of anything that a trajectory is worth.
   *
   * @param rule of the rewards
   * @param logit [observation][action]
   * @param worth of a trajectory, whatever the policy
   * @return [observation][action], as for J
   */
  public static double[][] gradient(
      Rule rule, double[][] logit, ToDoubleFunction<Trajectory> worth) {
    double[][] policy = policy(logit);
    double[][] gradient = new double[FEATURES][ACTIONS];
    for (Trajectory trajectory : trajectories(rule)) {
      for (int factor = 0; factor < STEPS * AGENTS; factor++) {
        double others = trajectory.startProbability;
        for (int other = 0; other < STEPS * AGENTS; other++) {
          if (other != factor) {
            others *=
                policy[trajectory.observation[other / AGENTS][other % AGENTS]][
                    trajectory.action[other / AGENTS][other % AGENTS]];
          }
        }
        int observation = trajectory.observation[factor / AGENTS][factor % AGENTS];
        int action = trajectory.action[factor / AGENTS][factor % AGENTS];
        double[] probability = policy[observation];
        for (int choice = 0; choice < ACTIONS; choice++) {
          double derivative =
              probability[action] * ((choice == action ? 1 : 0) - probability[choice]);
          gradient[observation][choice] += worth.applyAsDouble(trajectory) * others * derivative;
        }
      }
    }
    return gradient;
  }
}
