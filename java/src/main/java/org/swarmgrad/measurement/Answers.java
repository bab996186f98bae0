// Checks that a measured engine computed something sensible: speed of a wrong answer is no speed.
// Whether it is exactly right is for the tests.
package org.swarmgrad.measurement;

import java.util.List;
import org.swarmgrad.Engine;
import org.swarmgrad.Group;
import org.swarmgrad.Statistics;
import org.swarmgrad.SwarmgradException;

/** Rules that statistics of every batch obey. */
public final class Answers {
  private static final double ROUNDING = 1e-6;

  private Answers() {}

  /**
   * Checks a batch.
   *
   * @param engine that made it
   * @param statistics [group]
   * @param episodes that were asked for
   * @return living agents' steps of all groups
   * @throws SwarmgradException naming group, quantity, value and what is allowed
   */
  public static long check(Engine engine, List<Statistics> statistics, long episodes) {
    long agentSteps = 0;
    for (Group group : engine.groups()) {
      int index = engine.groups().indexOf(group);
      check(group, engine.info().horizon(), statistics.get(index), episodes);
      agentSteps += statistics.get(index).agentSteps();
    }
    return agentSteps;
  }

  static void check(Group group, int horizon, Statistics batch, long episodes) {
    Rule rule = new Rule(group.name());
    rule.within("episodes", batch.episodes(), episodes, episodes);
    double most = (double) episodes * horizon * group.agentCount();
    rule.within("agent steps", batch.agentSteps(), episodes, most);
    rule.within("episode length", batch.episodeLengthMean(), 1, horizon);
    rule.within(
        "smallest team return", batch.teamReturnMinimum(), -Double.MAX_VALUE, Double.MAX_VALUE);
    rule.within(
        "largest team return",
        batch.teamReturnMaximum(),
        batch.teamReturnMinimum(),
        Double.MAX_VALUE);
    rule.within(
        "mean team return",
        batch.teamReturnMean(),
        batch.teamReturnMinimum(),
        batch.teamReturnMaximum());
    rule.within(
        "deviation of the team return",
        batch.teamReturnDeviation(),
        0,
        batch.teamReturnMaximum() - batch.teamReturnMinimum());
    double agentReturn = batch.teamReturnMean() / group.agentCount();
    rule.within("mean agent return", batch.agentReturnMean(), agentReturn, agentReturn);
    rule.within("entropy", batch.entropyMean(), 0, Math.log(group.actionCount()));
    rule.within("gradient norm", batch.gradientNorm(), 0, Double.MAX_VALUE);
    rule.within("weight variance", batch.weightVariance(), 0, Double.MAX_VALUE);
    rule.within("effective sample size", batch.effectiveSampleSize(), 0, batch.agentSteps());
  }

  private record Rule(String group) {
    /** NaN is within nothing. */
    void within(String quantity, double value, double minimum, double maximum) {
      double slack = ROUNDING * Math.max(1, Math.abs(value));
      if (!(value >= minimum - slack && value <= maximum + slack && Double.isFinite(value))) {
        throw new SwarmgradException(
            "the answer of the benchmark is wrong: "
                + quantity
                + " of group "
                + group
                + " is "
                + value
                + "; allowed: "
                + minimum
                + " to "
                + maximum);
      }
    }
  }
}
