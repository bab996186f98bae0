// A start or a step of a replayed episode, and the comparisons that columns make there.
package org.swarmgrad.cli.trace;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import org.swarmgrad.Simulator;

/** A start or a step of a replayed episode: what a {@link Column.Check} compares with. */
final class Moment {
  private final TraceReplay replay;
  private final Tally tally;
  private final int episode;
  private final String label;
  private final int step;
  private Simulator.Step found;

  /** `step` is -1 at the start. */
  Moment(TraceReplay replay, Tally tally, int episode, String label, int step) {
    this.replay = replay;
    this.tally = tally;
    this.episode = episode;
    this.label = label;
    this.step = step;
  }

  /** After the step. */
  void took(Simulator.Step outcome) {
    found = outcome;
  }

  Tally tally() {
    return tally;
  }

  String place() {
    return replay.path() + ": " + Disagreement.place(episode, label, step);
  }

  float reward(int agent) {
    return found.reward()[agent];
  }

  /** Whether the rules ended the episode. */
  boolean isDone() {
    return found.done();
  }

  /** Whether this was the last step of an episode that nothing ended early. */
  boolean isLast() {
    return step + 1 == replay.horizon();
  }

  Simulator simulator() {
    return replay.simulator();
  }

  int agentCount() {
    return simulator().agentCount();
  }

  double[] state(String field) {
    return simulator().get(simulator().field(field));
  }

  /** The same environment with one parameter changed, in the state of this moment. */
  Simulator inSameState(String parameter, double value) {
    return replay.inSameState(parameter, value);
  }

  /** What this step gives in the same environment with one parameter changed. */
  Simulator.Step sameStep(String parameter, double value) {
    return replay.sameStep(parameter, value);
  }

  /** A recorded array of one element an agent. */
  JsonNode perAgent(String name, JsonNode value) throws IOException {
    if (!value.isArray() || value.size() != agentCount()) {
      throw Recordings.malformed(
          place() + " " + name, value.size() + " rows; needed: " + agentCount());
    }
    return value;
  }

  /** One value that has to be equal; `agent` is -1 where it is nobody's. */
  void equal(int agent, String field, double recorded, double here) {
    if (recorded != here) {
      disagree(agent, field, recorded, here);
    }
  }

  void state(String name, Simulator.Field field, double[] recorded) {
    double[] here = state(name);
    double largest = 0;
    for (int index = 0; index < here.length; index++) {
      double difference = Math.abs(here[index] - recorded[index]);
      largest = Math.max(largest, difference);
      if (!isClose(difference, recorded[index])) {
        String element =
            name + "[" + index / field.columns() + "][" + index % field.columns() + "]";
        disagree(-1, element, recorded[index], here[index]);
      }
    }
    tally.stateDifference(largest);
  }

  void ended(String name, JsonNode value, boolean here) {
    equal(-1, name, Recordings.anyTrue(value) ? 1 : 0, here ? 1 : 0);
  }

  void observations(String name, JsonNode value) throws IOException {
    int agent = 0;
    for (JsonNode row : perAgent(name, value)) {
      int size = simulator().observe(agent).features().length;
      observation(agent, Recordings.numbers(row, size, place() + " observation of agent " + agent));
      agent++;
    }
  }

  void observation(int agent, double[] recorded) {
    float[] here = simulator().observe(agent).features();
    for (int feature = 0; feature < here.length; feature++) {
      double difference = Math.abs(here[feature] - (float) recorded[feature]);
      tally.observationDifference(difference);
      if (!isClose(difference, recorded[feature])) {
        disagree(agent, "observation[" + feature + "]", recorded[feature], here[feature]);
      }
    }
  }

  /** `recorded` is 1 for every available action. */
  void mask(int agent, byte[] here, double[] recorded) {
    for (int action = 0; action < here.length; action++) {
      equal(agent, "mask[" + action + "]", recorded[action], here[action]);
    }
  }

  void rewards(String name, JsonNode value) throws IOException {
    rewards(name, value, found.reward());
  }

  void rewards(String name, JsonNode value, float[] here) throws IOException {
    double[] recorded = Recordings.numbers(value, agentCount(), place() + " " + name);
    for (int agent = 0; agent < recorded.length; agent++) {
      double difference = Math.abs(here[agent] - recorded[agent]);
      if (difference <= replay.world().rewardTolerance()) {
        tally.rewardDifference(difference);
      } else if (replay.isRounding(agent, difference)) {
        tally.undecided();
      } else {
        tally.rewardDifference(difference);
        disagree(agent, name, recorded[agent], here[agent]);
      }
    }
  }

  private boolean isClose(double difference, double recorded) {
    return difference <= replay.world().tolerance() * Math.max(1, Math.abs(recorded));
  }

  private void disagree(int agent, String field, double recorded, double here) {
    tally.disagree(new Disagreement(episode, label, step, agent, field, recorded, here));
  }
}
