// A native cohort as Java arrays: copied in before an environment is called, and out afterwards.
package org.swarmgrad.internal;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.swarmgrad.Cohort;
import org.swarmgrad.Environment;

@SuppressWarnings("restricted") // the engine promises memory and function behind the pointers
final class CohortView implements Cohort {
  private static final int WORDS_PER_BLOCK = 4;
  private static final MethodHandle DRAW =
      Linker.nativeLinker()
          .downcallHandle(FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, ADDRESS));

  private static final long EPISODES = Layouts.offset(Layouts.COHORT, "episodes");
  private static final long FIRST_ENVIRONMENT = Layouts.offset(Layouts.COHORT, "first_environment");
  private static final long ITERATION = Layouts.offset(Layouts.COHORT, "iteration");
  private static final long STEP = Layouts.offset(Layouts.COHORT, "step");
  private static final long PLAYING = Layouts.offset(Layouts.COHORT, "playing");
  private static final long DONE = Layouts.offset(Layouts.COHORT, "done");

  private final MemorySegment struct;
  private final MemorySegment actionMemory;
  private final MemorySegment rewardMemory;
  private final MemorySegment aliveMemory;
  private final MemorySegment observationMemory;
  private final MemorySegment availableMemory;
  private final MemorySegment draw;
  private final MemorySegment words;

  private final int[] action;
  private final float[] reward;
  private final short[] alive;
  private final float[][] observation;

  /** [agent][action] sets; null for the agents of a group without a mask. */
  private final short[][] available;

  private int episodes;
  private int firstEnvironment;
  private int iteration;
  private int step;
  private int playing;
  private int done;

  /** [word][lane] of this call, in blocks as they are asked for. */
  private int[] drawn = new int[WORDS_PER_BLOCK * MAXIMUM];

  private int drawnWords;
  private final int[] nextWord = new int[MAXIMUM];

  CohortView(Arena arena, long address, List<Environment.Agents> groups) {
    struct = MemorySegment.ofAddress(address).reinterpret(Layouts.COHORT.byteSize());
    int agents = groups.stream().mapToInt(Environment.Agents::count).sum();
    action = new int[agents * MAXIMUM];
    reward = new float[agents * MAXIMUM];
    alive = new short[agents];
    observation = new float[agents][];
    available = new short[agents][];
    long features = 0;
    long sets = 0;
    int agent = 0;
    for (Environment.Agents group : groups) {
      for (int i = 0; i < group.count(); i++, agent++) {
        observation[agent] = new float[group.observationSize() * MAXIMUM];
        features += observation[agent].length;
        if (group.masked()) {
          available[agent] = new short[group.actionCount()];
          sets += available[agent].length;
        }
      }
    }
    actionMemory = pointer("action", action.length * 4L);
    rewardMemory = pointer("reward", reward.length * 4L);
    aliveMemory = pointer("alive", alive.length * 2L);
    observationMemory = pointer("observation", features * 4);
    availableMemory = pointer("available", sets * 2);
    draw = struct.get(ADDRESS, Layouts.offset(Layouts.COHORT, "draw"));
    words = arena.allocate(JAVA_INT, WORDS_PER_BLOCK * MAXIMUM);
  }

  private MemorySegment pointer(String member, long bytes) {
    return struct.get(ADDRESS, Layouts.offset(Layouts.COHORT, member)).reinterpret(bytes);
  }

  /** Before the environment is called: reset or step. */
  void begin(boolean resets) {
    episodes = struct.get(JAVA_INT, EPISODES);
    firstEnvironment = struct.get(JAVA_INT, FIRST_ENVIRONMENT);
    iteration = struct.get(JAVA_INT, ITERATION);
    step = struct.get(JAVA_INT, STEP);
    playing = struct.get(JAVA_INT, PLAYING);
    done = 0;
    drawnWords = 0;
    Arrays.fill(nextWord, 0);
    Arrays.fill(reward, 0);
    if (resets) {
      Arrays.fill(alive, (short) -1);
    } else {
      MemorySegment.copy(actionMemory, JAVA_INT, 0, action, 0, action.length);
    }
  }

  /** Before the environment observes. */
  void beginObservation() {
    for (short[] sets : available) {
      if (sets != null) {
        Arrays.fill(sets, (short) -1);
      }
    }
  }

  /** After the environment has observed. */
  void end() {
    struct.set(JAVA_INT, DONE, done);
    MemorySegment.copy(reward, 0, rewardMemory, JAVA_FLOAT, 0, reward.length);
    MemorySegment.copy(alive, 0, aliveMemory, JAVA_SHORT, 0, alive.length);
    long feature = 0;
    long set = 0;
    for (int agent = 0; agent < observation.length; agent++) {
      float[] features = observation[agent];
      MemorySegment.copy(features, 0, observationMemory, JAVA_FLOAT, 4 * feature, features.length);
      feature += features.length;
      short[] sets = available[agent];
      if (sets != null) {
        MemorySegment.copy(sets, 0, availableMemory, JAVA_SHORT, 2 * set, sets.length);
        set += sets.length;
      }
    }
  }

  /** For messages. */
  String place() {
    return "iteration "
        + Integer.toUnsignedString(iteration)
        + ", environments "
        + firstEnvironment
        + " to "
        + (firstEnvironment + episodes - 1)
        + ", step "
        + step;
  }

  int firstEnvironment() {
    return firstEnvironment;
  }

  @Override
  public int episodes() {
    return episodes;
  }

  @Override
  public boolean playing(int episode) {
    return (playing >>> checked(episode) & 1) != 0;
  }

  @Override
  public int step() {
    return step;
  }

  @Override
  public int environment(int episode) {
    return firstEnvironment + checked(episode);
  }

  @Override
  public int bits(int episode) {
    int word = nextWord[episode]++;
    if (word >= drawnWords) {
      drawBlock();
    }
    return drawn[word * MAXIMUM + episode];
  }

  private void drawBlock() {
    int block = drawnWords / WORDS_PER_BLOCK;
    int status = Calls.value(() -> (int) DRAW.invokeExact(draw, struct, block, words));
    if (status != 0) {
      throw new IllegalStateException(
          drawnWords + " random numbers in one call; allowed: no more in an episode's step");
    }
    int end = (drawnWords + WORDS_PER_BLOCK) * MAXIMUM;
    if (drawn.length < end) {
      drawn = Arrays.copyOf(drawn, 2 * end);
    }
    MemorySegment.copy(words, JAVA_INT, 0, drawn, drawnWords * MAXIMUM, WORDS_PER_BLOCK * MAXIMUM);
    drawnWords += WORDS_PER_BLOCK;
  }

  @Override
  public int action(int agent, int episode) {
    return action[agent * MAXIMUM + checked(episode)];
  }

  @Override
  public void reward(int agent, int episode, float value) {
    reward[agent * MAXIMUM + checked(episode)] = value;
  }

  @Override
  public void end(int episode) {
    done |= 1 << checked(episode);
  }

  @Override
  public boolean alive(int agent, int episode) {
    return (alive[agent] >>> checked(episode) & 1) != 0;
  }

  @Override
  public void alive(int agent, int episode, boolean lives) {
    int bit = 1 << checked(episode);
    alive[agent] = (short) (lives ? alive[agent] | bit : alive[agent] & ~bit);
  }

  @Override
  public void observe(int agent, int feature, int episode, float value) {
    observation[agent][feature * MAXIMUM + checked(episode)] = value;
  }

  @Override
  public float[] observation(int agent) {
    return observation[agent];
  }

  @Override
  public void forbid(int agent, int chosen, int episode) {
    short[] sets = available[agent];
    if (sets == null) {
      throw new IllegalArgumentException(
          "agent is " + agent + ", whose group is not masked; allowed: agents of masked groups");
    }
    sets[chosen] &= (short) ~(1 << checked(episode));
  }

  /** An episode past the cohort's would be another element of the same array. */
  private static int checked(int episode) {
    return Objects.checkIndex(episode, MAXIMUM);
  }
}
