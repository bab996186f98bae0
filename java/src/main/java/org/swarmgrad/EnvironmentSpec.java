// Which environment to run and with which parameters, checked against the library's catalogue; not
// an instance of it.
package org.swarmgrad;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.swarmgrad.internal.UserEnvironments;

/**
 * An environment and the parameters that differ from its defaults.
 *
 * @param id for example "simple_spread_v3"
 * @param parameters by name; those equal to their default are dropped, so that equal environments
 *     are equal
 */
public record EnvironmentSpec(String id, SortedMap<String, Double> parameters) {
  /**
   * Checks id, names and values against the catalogue.
   *
   * @throws IllegalArgumentException naming what was found and what is allowed
   * @throws LibraryException where the engine library is missing
   */
  public EnvironmentSpec {
    EnvironmentInfo info = Swarmgrad.environment(id);
    SortedMap<String, Double> kept = new TreeMap<>();
    for (Map.Entry<String, Double> entry : Checks.present("parameters", parameters).entrySet()) {
      EnvironmentParameter parameter = info.parameter(entry.getKey());
      if (parameter.check(entry.getValue()) != parameter.defaultValue()) {
        kept.put(entry.getKey(), entry.getValue());
      }
    }
    parameters = Collections.unmodifiableSortedMap(kept);
  }

  /**
   * An environment with its defaults.
   *
   * @param id for example "simple_spread_v3"
   * @return the specification
   */
  public static EnvironmentSpec of(String id) {
    return new EnvironmentSpec(id, new TreeMap<>());
  }

  /**
   * An environment of the user's own, with its defaults: one header, compiled by the system's C++
   * compiler on first use and kept in the user's cache. It joins the catalogue under the id that it
   * gives itself, and runs with the rights of this process.
   *
   * @param header that ends with SWARMGRAD_ENVIRONMENT
   * @return the specification
   * @throws CompilationException with the compiler's messages
   */
  public static EnvironmentSpec compile(Path header) {
    return of(UserEnvironments.load(Checks.present("header", header)).id());
  }

  /**
   * An environment of the user's own, with its defaults, from a library that CMake's
   * swarmgrad_add_environment built. It runs with the rights of this process.
   *
   * @param library to load; it stays until the process ends
   * @return the specification
   */
  public static EnvironmentSpec load(Path library) {
    return of(UserEnvironments.load(Checks.present("library", library)).id());
  }

  /**
   * A complete header with comments, to be changed into an environment of one's own.
   *
   * @return the text of my_game.hpp
   */
  public static String template() {
    return UserEnvironments.template();
  }

  /**
   * Where a user's environment came from.
   *
   * @return its source, empty for the environments of the engine library
   */
  public Optional<EnvironmentSource> source() {
    return EnvironmentSource.of(id);
  }

  /**
   * Reads "simple_spread_v3" or "simple_spread_v3?agents=5&amp;local_ratio=0.2".
   *
   * @param text an id, or the path of a header or library with a '/' or its suffix; then parameters
   *     after '?', separated by '&amp;'
   * @return the specification
   * @throws IllegalArgumentException naming what was found and what is allowed
   * @throws CompilationException with the compiler's messages about a header
   */
  public static EnvironmentSpec parse(String text) {
    int question = questionMark(Checks.present("environment", text));
    if (question < 0) {
      return named(text);
    }
    EnvironmentSpec spec = named(text.substring(0, question));
    for (String assignment : text.substring(question + 1).split("&", -1)) {
      spec = spec.withAssignment(assignment);
    }
    return spec;
  }

  /**
   * Reads the environment of a configuration as {@link EngineConfig#toMap()} writes it, and loads a
   * user's own first.
   *
   * @param map may hold other names as well
   * @return the specification
   * @throws CompilationException where the source of a user's own is gone, or is not what it was
   */
  public static EnvironmentSpec fromMap(Map<String, String> map) {
    String text = Labels.text(map, "environment");
    EnvironmentSource.restore(map, text);
    return parse(text);
  }

  /** Where the parameters begin, -1 without any: the name of a file may hold question marks. */
  private static int questionMark(String text) {
    if (text.indexOf('/') < 0) {
      return text.indexOf('?');
    }
    return Files.exists(Path.of(text)) ? -1 : text.lastIndexOf('?');
  }

  private static EnvironmentSpec named(String text) {
    return UserEnvironments.isFile(text) ? of(UserEnvironments.load(Path.of(text)).id()) : of(text);
  }

  /**
   * The same environment with one parameter changed.
   *
   * @param name of the parameter
   * @param value inside its range
   * @return the specification
   */
  public EnvironmentSpec with(String name, double value) {
    SortedMap<String, Double> changed = new TreeMap<>(parameters);
    changed.put(name, value);
    return new EnvironmentSpec(id, changed);
  }

  /**
   * The same environment with one parameter changed.
   *
   * @param assignment "name=value", the value a number or the name of a choice
   * @return the specification
   */
  public EnvironmentSpec withAssignment(String assignment) {
    int equals = Checks.present("environment parameter", assignment).indexOf('=');
    if (equals < 1) {
      throw new IllegalArgumentException(
          "environment parameter is '" + assignment + "'; allowed: name=value");
    }
    String name = assignment.substring(0, equals);
    return with(name, info().parameter(name).parse(assignment.substring(equals + 1)));
  }

  /**
   * A parameter's value.
   *
   * @param name of the parameter
   * @return the value given, or the default
   */
  public double parameter(String name) {
    return parameters.getOrDefault(name, info().parameter(name).defaultValue());
  }

  /**
   * The catalogue entry.
   *
   * @return what the environment is
   */
  public EnvironmentInfo info() {
    return Swarmgrad.environment(id);
  }

  /** Writes what {@link #parse} reads. */
  @Override
  public String toString() {
    return parameters.isEmpty() ? id : id + "?" + assignments(parameters);
  }

  /** Parameters of this environment as "name=value&amp;name=value". */
  String assignments(Map<String, Double> some) {
    List<String> texts = new ArrayList<>();
    some.forEach((name, value) -> texts.add(name + "=" + info().parameter(name).format(value)));
    return String.join("&", texts);
  }
}
