// What multiplies grad log pi of each action; the formulas themselves are native.
package org.swarmgrad;

/**
 * The weight of each action's log-probability gradient. r_k is the sum of all agents' rewards of
 * the group at step k.
 */
public enum Weight {
  /** sum over k of discount^k r_k: the theorem verbatim, unbiased for the discounted return. */
  TOTAL_RETURN,
  /**
   * sum over k >= t of discount^(k-t) r_k: unbiased for discount 1, the usual biased form below.
   */
  REWARD_TO_GO,
  /**
   * sum over k of discount^k r_k of the agent itself: what independent learners do, biased unless
   * agents are decoupled.
   */
  OWN_RETURN,
  /** discount^t times reward-to-go: unbiased for the discounted return. */
  DISCOUNTED_STATE_WEIGHT;

  /**
   * Reads a choice as written on the command line.
   *
   * @param text for example "reward-to-go"
   * @return the choice
   * @throws IllegalArgumentException naming the allowed choices
   */
  public static Weight parse(String text) {
    return Labels.parse(Weight.class, "weight", text);
  }

  @Override
  public String toString() {
    return Labels.label(this);
  }
}
