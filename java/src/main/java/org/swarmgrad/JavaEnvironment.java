// How an engine comes by an environment written in Java: a name and a factory; no rule of a game.
package org.swarmgrad;

import java.time.Duration;
import java.util.function.Supplier;

/**
 * An {@link Environment} under a name. Checkpoints hold the name only: going on from one needs the
 * environment again, {@code checkpoint.config().toBuilder().environment(thisEnvironment).build()}.
 *
 * @param name letters, digits, '_', '-' and '.'; its id in a configuration is "java:" and the name
 * @param factory makes an instance for each thread of an engine
 * @param patience how long one call of an instance may last before it is interrupted
 */
public record JavaEnvironment(
    String name, Supplier<? extends Environment> factory, Duration patience) {
  /** What the ids of environments written in Java begin with. */
  static final String PREFIX = "java:";

  private static final Duration USUAL_PATIENCE = Duration.ofSeconds(60);

  /** Checks the values. */
  public JavaEnvironment {
    if (!Checks.present("name of the environment", name).matches("[A-Za-z0-9_.-]+")) {
      throw new IllegalArgumentException(
          "name of the environment is '" + name + "'; allowed: letters, digits, '_', '-', '.'");
    }
    Checks.present("factory of environment " + name, factory);
    Checks.patience(patience);
  }

  /**
   * An environment whose calls may last 60 seconds.
   *
   * @param name letters, digits, '_', '-' and '.'
   * @param factory makes an instance for each thread of an engine
   * @return the environment
   */
  public static JavaEnvironment of(String name, Supplier<? extends Environment> factory) {
    return new JavaEnvironment(name, factory, USUAL_PATIENCE);
  }

  /**
   * The same environment with another patience.
   *
   * @param patience how long one call of an instance may last before it is interrupted
   * @return the environment
   */
  public JavaEnvironment withPatience(Duration patience) {
    return new JavaEnvironment(name, factory, patience);
  }

  /**
   * Its id in a configuration.
   *
   * @return "java:" and the name
   */
  public String id() {
    return PREFIX + name;
  }
}
