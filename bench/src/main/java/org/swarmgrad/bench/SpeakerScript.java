// A written controller of simple_speaker_listener_v4, the mark of its row in the table of scores;
// it learns nothing.
package org.swarmgrad.bench;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Simulator;
import org.swarmgrad.measurement.Sample;

/**
 * The speaker says the goal's number. The listener, who hears it one step later, first makes for
 * the middle of the landmarks, then for the goal: of its five moves always the one after which the
 * point that it would soon coast to is nearest.
 */
final class SpeakerScript implements AutoCloseable {
  static final String USAGE =
      "--script [EPISODES] plays simple_speaker_listener_v4 by a written controller";

  private static final int EPISODES = 40_000;
  private static final int MOST_EPISODES = 10_000_000;

  /**
   * How far ahead the listener looks, in seconds: 0.1, 0.15, 0.25 and 0.3 score less. A search over
   * all its moves of an episode, which knows the goal from the second step on, gains 1% more.
   */
  private static final double COASTING = 0.2;

  /** What a move adds to the velocity: force 5 for 0.1 seconds. */
  private static final double PUSH = 0.5;

  private static final int LISTENER = 1;
  private static final int LANDMARKS = 3;

  private final Simulator simulator =
      Simulator.open(EnvironmentSpec.of("simple_speaker_listener_v4"), 1, InstructionSet.AUTO);
  private final Simulator.Field position = simulator.field("agent_pos");
  private final Simulator.Field velocity = simulator.field("agent_vel");
  private final Simulator.Field landmark = simulator.field("landmark_pos");
  private final Simulator.Field goal = simulator.field("goal_landmark");

  /** Reads the arguments after --script and prints the mean return. */
  static void run(List<String> arguments) {
    if (arguments.size() > 1) {
      throw new IllegalArgumentException("--script is given " + arguments + "; allowed: " + USAGE);
    }
    int episodes =
        arguments.isEmpty()
            ? EPISODES
            : (int) ScoreTable.number("--script", arguments.get(0), MOST_EPISODES);
    double[] returns;
    try (SpeakerScript script = new SpeakerScript()) {
      returns = IntStream.range(0, episodes).mapToDouble(script::play).toArray();
    }
    Sample sample = Sample.of(returns);
    System.out.println(
        String.format(
            Locale.ROOT,
            "simple_speaker_listener_v4 by a script: %.2f +- %.2f, both agents, %d episodes",
            sample.mean(),
            sample.interval().map(Sample.Interval::halfWidth).orElse(Double.NaN),
            episodes));
  }

  /** The return of both agents together. */
  double play(int episode) {
    simulator.reset(episode, 0);
    int wanted = (int) simulator.get(goal)[0];
    double[] landmarks = simulator.get(landmark);
    double[] aim = new double[2];
    for (int i = 0; i < landmarks.length; i++) {
      aim[i % 2] += landmarks[i] / LANDMARKS;
    }
    double sum = 0;
    for (int step = 0; step < simulator.horizon(); step++) {
      for (float reward : simulator.step(wanted, move(aim)).reward()) {
        sum += reward;
      }
      aim[0] = landmarks[2 * wanted];
      aim[1] = landmarks[2 * wanted + 1];
    }
    return sum;
  }

  private int move(double[] aim) {
    double[] way = new double[2];
    for (int axis = 0; axis < 2; axis++) {
      int index = 2 * LISTENER + axis;
      way[axis] =
          aim[axis] - simulator.get(position)[index] - COASTING * simulator.get(velocity)[index];
    }
    // Moves 1 and 2 are along the first axis, 3 and 4 along the second; 0 stays.
    int axis = Math.abs(way[0]) >= Math.abs(way[1]) ? 0 : 1;
    boolean gains = Math.abs(way[axis]) > COASTING * PUSH / 2;
    return gains ? 1 + 2 * axis + (way[axis] > 0 ? 1 : 0) : 0;
  }

  @Override
  public void close() {
    simulator.close();
  }
}
