// Lets the engine play an environment written in Java: its functions as native callbacks, an
// instance for each of the engine's threads, and somebody who watches that they return.
package org.swarmgrad.internal;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.swarmgrad.internal.Layouts.allocate;
import static org.swarmgrad.internal.Layouts.element;
import static org.swarmgrad.internal.Layouts.set;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.swarmgrad.Environment;
import org.swarmgrad.EnvironmentException;
import org.swarmgrad.JavaEnvironment;

@SuppressWarnings("restricted") // upcalls, and memory that the engine promises
final class EnvironmentPlayers implements AutoCloseable {
  /** How often it is looked whether calls return, at least so many times within their patience. */
  private static final int LOOKS = 20;

  private static final long LONGEST_LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long LONGEST_GRACE_NANOS = TimeUnit.SECONDS.toNanos(10);

  private static final long CALLER = Layouts.offset(Layouts.COHORT, "caller");
  private static final MemorySegment EVERYWHERE = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private final JavaEnvironment source;
  private final Environment first;
  private final List<Environment.Agents> groups;
  private final int horizon;
  private final Arena arena = Arena.ofShared();
  private final List<Player> players = new CopyOnWriteArrayList<>();
  private final List<Environment> instances = new CopyOnWriteArrayList<>();
  private boolean firstIsTaken;

  /** Runs the engine, so that a caller gets an answer even where an environment never returns. */
  private final ExecutorService runner;

  private boolean callerInterrupted;
  private EnvironmentException lost;

  EnvironmentPlayers(JavaEnvironment source) {
    this.source = source;
    try {
      first = create();
      groups = List.copyOf(first.groups());
      horizon = first.horizon();
    } catch (RuntimeException failure) {
      instances.forEach(Environment::close);
      throw new EnvironmentException(
          source.id() + ", its factory, groups() or horizon(): " + failure, failure);
    }
    runner =
        Executors.newSingleThreadExecutor(
            task -> Thread.ofPlatform().daemon().name("swarmgrad " + source.id()).unstarted(task));
  }

  private Environment create() {
    Environment made = source.factory().get();
    if (made == null) {
      throw new IllegalStateException("the factory of " + source.id() + " made null");
    }
    instances.add(made);
    return made;
  }

  /** The struct swarmgrad_callbacks; it and its functions live until this is closed. */
  MemorySegment callbacks() {
    MemorySegment groupStructs = allocate(arena, Layouts.GROUP, groups.size());
    for (int i = 0; i < groups.size(); i++) {
      Environment.Agents group = groups.get(i);
      MemorySegment struct = element(Layouts.GROUP, groupStructs, i);
      set(Layouts.GROUP, struct, "agent_count", group.count());
      set(Layouts.GROUP, struct, "observation_size", group.observationSize());
      set(Layouts.GROUP, struct, "action_count", group.actionCount());
      set(Layouts.GROUP, struct, "has_mask", group.masked() ? 1 : 0);
      set(Layouts.GROUP, struct, "name", arena.allocateFrom(group.name()));
    }
    StructLayout layout = Layouts.CALLBACKS;
    MemorySegment struct = allocate(arena, layout);
    set(layout, struct, "group_count", groups.size());
    set(layout, struct, "horizon", horizon);
    set(layout, struct, "groups", groupStructs);
    set(layout, struct, "reset", function("reset"));
    set(layout, struct, "step", function("step"));
    return struct;
  }

  /** One of the methods below as a C function: int32_t (void *context, swarmgrad_cohort *). */
  private MemorySegment function(String name) {
    try {
      MethodHandle method =
          MethodHandles.lookup()
              .bind(this, name, MethodType.methodType(int.class, long.class, long.class));
      return Linker.nativeLinker()
          .upcallStub(method, FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG), arena);
    } catch (ReflectiveOperationException impossible) {
      throw new AssertionError(impossible);
    }
  }

  // A throwable that leaves an upcall ends the process: these two let none out.

  private int reset(long context, long cohort) {
    try {
      return player(cohort).play(true);
    } catch (Throwable failure) {
      return 1;
    }
  }

  private int step(long context, long cohort) {
    try {
      return player(cohort).play(false);
    } catch (Throwable failure) {
      return 1;
    }
  }

  private Player player(long cohort) {
    long number = EVERYWHERE.get(JAVA_LONG, cohort + CALLER);
    if (number == 0) {
      synchronized (this) {
        players.add(new Player(cohort));
        number = players.size();
        EVERYWHERE.set(JAVA_LONG, cohort + CALLER, number);
      }
    }
    return players.get((int) number - 1);
  }

  private synchronized Environment newInstance() {
    if (!firstIsTaken) {
      firstIsTaken = true;
      return first;
    }
    return create();
  }

  /** The instance that plays the cohorts of one of the engine's threads. */
  private final class Player {
    private final CohortView view;
    private Environment instance;

    /** Odd while a call runs. Written last and read first, so that what it says is complete. */
    private final AtomicLong calls = new AtomicLong();

    private Thread thread;
    private String function;
    private Throwable failure;

    /** Which call the watcher saw last, and how many looks in a row it has seen it run. */
    private long seenCall;

    private long looks;

    Player(long cohort) {
      view = new CohortView(arena, cohort, groups);
    }

    int play(boolean resets) {
      thread = Thread.currentThread();
      calls.setRelease(calls.getPlain() + 1);
      try {
        view.begin(resets);
        if (resets) {
          Thread.interrupted(); // of an earlier run
        }
        if (instance == null) {
          function = "its factory";
          instance = newInstance();
        }
        if (resets) {
          function = "reset";
          instance.reset(view);
        } else {
          function = "step";
          instance.step(view);
        }
        function = "observe";
        view.beginObservation();
        instance.observe(view);
        view.end();
        return 0;
      } catch (Throwable thrown) {
        failure = thrown;
        return 1;
      } finally {
        calls.setRelease(calls.getPlain() + 1);
      }
    }

    boolean isRunning() {
      return calls.getAcquire() % 2 != 0;
    }

    /**
     * Looks once more: for how many looks the same call has been running. Time does not count,
     * since a process that was stopped for a while, and goes on, is not stuck.
     */
    long look() {
      long call = calls.getAcquire();
      looks = call == seenCall && call % 2 != 0 ? looks + 1 : 0;
      seenCall = call;
      return looks;
    }

    String place() {
      return source.id() + ", " + view.place() + ", " + function;
    }
  }

  /**
   * Runs a call of the engine that plays episodes.
   *
   * @param cancel makes the engine stop what it does
   */
  <T> T watch(Supplier<T> call, Runnable cancel) {
    if (lost != null) {
      throw new EnvironmentException("the engine is lost: " + lost.getMessage(), lost.getCause());
    }
    players.forEach(player -> player.failure = null);
    Future<T> future = runner.submit(call::get);
    long patience = source.patience().toNanos();
    long look = Math.max(1, Math.min(LONGEST_LOOK_NANOS, patience / LOOKS));
    try {
      while (!ends(future, look)) {
        for (Player player : players) {
          if (player.look() * look >= patience) {
            throw interrupt(player, future, cancel);
          }
        }
      }
    } finally {
      if (callerInterrupted) {
        callerInterrupted = false;
        Thread.currentThread().interrupt();
      }
    }
    if (future.state() == Future.State.FAILED) {
      throw explain(future.exceptionNow());
    }
    return future.resultNow();
  }

  /** Whether the engine's call ends within a time; its caller's interrupt has to wait for that. */
  private boolean ends(Future<?> future, long nanos) {
    try {
      future.get(nanos, TimeUnit.NANOSECONDS);
      return true;
    } catch (ExecutionException failed) {
      return true;
    } catch (TimeoutException running) {
      return false;
    } catch (InterruptedException impatient) {
      callerInterrupted = true;
      return false;
    }
  }

  /** What the engine reports, with what the environment threw where that is the reason. */
  private RuntimeException explain(Throwable failure) {
    Optional<Player> thrower =
        players.stream()
            .filter(player -> player.failure != null)
            .min(Comparator.comparingInt(player -> player.view.firstEnvironment()));
    if (failure instanceof EnvironmentException && thrower.isPresent()) {
      return thrown(thrower.get());
    }
    return failure instanceof RuntimeException known ? known : new IllegalStateException(failure);
  }

  private static EnvironmentException thrown(Player player) {
    return new EnvironmentException(player.place() + ": " + player.failure, player.failure);
  }

  /** Ends a run in which a player's call does not return. */
  private EnvironmentException interrupt(Player stuck, Future<?> future, Runnable cancel) {
    Throwable where = new TimeoutException("the environment was here when it was interrupted");
    where.setStackTrace(stuck.thread.getStackTrace());
    String message =
        stuck.place()
            + ": did not return for "
            + source.patience().toMillis() / 1000.0
            + " s and was interrupted";
    cancel.run();
    long grace = Math.min(LONGEST_GRACE_NANOS, 10 * source.patience().toNanos());
    for (int look = 0; look < LOOKS; look++) {
      players.stream().filter(Player::isRunning).forEach(player -> player.thread.interrupt());
      if (ends(future, grace / LOOKS)) {
        return new EnvironmentException(message, where);
      }
    }
    lost =
        new EnvironmentException(
            message
                + ", which it ignores: the engine is lost, and its threads run until the program"
                + " ends",
            where);
    return lost;
  }

  /** Whether a call never came back; the native engine must be left to it. */
  boolean isLost() {
    return lost != null;
  }

  /** After the native engine is gone. */
  @Override
  public void close() {
    runner.shutdown();
    if (isLost()) {
      return;
    }
    arena.close();
    RuntimeException failure = null;
    for (Environment instance : instances) {
      try {
        instance.close();
      } catch (RuntimeException thrown) {
        failure = thrown;
      }
    }
    if (failure != null) {
      throw new EnvironmentException(source.id() + ", close(): " + failure, failure);
    }
  }
}
