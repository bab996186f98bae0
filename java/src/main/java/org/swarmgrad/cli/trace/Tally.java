// Counts what a replay finds; compares nothing itself.
package org.swarmgrad.cli.trace;

final class Tally {
  private long mismatches;
  private long undecided;
  private double stateDifference;
  private double observationDifference;
  private double rewardDifference;
  private Disagreement first;

  void disagree(Disagreement found) {
    mismatches++;
    if (first == null) {
      first = found;
    }
  }

  void undecided() {
    undecided++;
  }

  void stateDifference(double difference) {
    stateDifference = Math.max(stateDifference, difference);
  }

  void observationDifference(double difference) {
    observationDifference = Math.max(observationDifference, difference);
  }

  void rewardDifference(double difference) {
    rewardDifference = Math.max(rewardDifference, difference);
  }

  boolean agrees() {
    return mismatches == 0;
  }

  void add(Tally other) {
    mismatches += other.mismatches;
    undecided += other.undecided;
    stateDifference(other.stateDifference);
    observationDifference(other.observationDifference);
    rewardDifference(other.rewardDifference);
    first = first == null ? other.first : first;
  }

  TraceReplay.Result result(
      String file,
      String environment,
      boolean exact,
      int episodes,
      int excepted,
      long steps,
      long ties) {
    return new TraceReplay.Result(
        file,
        environment,
        exact,
        episodes,
        excepted,
        steps,
        mismatches,
        undecided,
        ties,
        stateDifference,
        observationDifference,
        rewardDifference,
        first);
  }
}
