// One line of the benchmark history: what was measured, where, of which commit, and how sure.
package org.swarmgrad.measurement;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A measured benchmark.
 *
 * @param benchmark for example "iteration"
 * @param parameters by name, for example environments=4096
 * @param score mean or median, in `unit`
 * @param error standard error of the score, in `unit`
 * @param unit "agent-steps/s", of which more is better, or "ns/call", of which less is
 * @param machine that ran it
 * @param commit of the sources, with "-changed" where the working tree differed from it
 * @param date ISO 8601, UTC
 */
public record BenchmarkResult(
    String benchmark,
    SortedMap<String, String> parameters,
    double score,
    double error,
    String unit,
    Machine machine,
    String commit,
    String date) {
  /** Unit of throughput. */
  public static final String AGENT_STEPS_PER_SECOND = "agent-steps/s";

  /** Unit of a call's overhead. */
  public static final String NANOSECONDS_PER_CALL = "ns/call";

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** Copies the parameters and checks the numbers. */
  public BenchmarkResult {
    if (!(score > 0) || !Double.isFinite(score) || !(error >= 0) || !Double.isFinite(error)) {
      throw new IllegalArgumentException(
          benchmark
              + " "
              + parameters
              + " has score "
              + score
              + " and error "
              + error
              + "; allowed: a score above 0 and an error of at least 0, both finite");
    }
    if (!unit.equals(AGENT_STEPS_PER_SECOND) && !unit.equals(NANOSECONDS_PER_CALL)) {
      throw new IllegalArgumentException(
          "unit is '"
              + unit
              + "'; allowed: "
              + AGENT_STEPS_PER_SECOND
              + ", "
              + NANOSECONDS_PER_CALL);
    }
    parameters = Collections.unmodifiableSortedMap(new TreeMap<>(parameters));
  }

  /** Whether both measure the same thing on the same machine. */
  boolean comparable(BenchmarkResult other) {
    return benchmark.equals(other.benchmark)
        && parameters.equals(other.parameters)
        && unit.equals(other.unit)
        && machine.equals(other.machine);
  }

  /** One line of JSON. */
  String toJson() {
    ObjectNode object = MAPPER.createObjectNode().put("commit", commit).put("date", date);
    object
        .putObject("machine")
        .put("cpu", machine.cpu())
        .put("cores", machine.cores())
        .put("isa", machine.isa());
    object.put("benchmark", benchmark);
    object.set("parameters", MAPPER.valueToTree(parameters));
    return object.put("score", score).put("error", error).put("unit", unit).toString();
  }

  /**
   * Reads a line.
   *
   * @throws IllegalArgumentException where it is no such line
   */
  static BenchmarkResult fromJson(String line) {
    try {
      JsonNode object = MAPPER.readTree(line);
      JsonNode machine = object.required("machine");
      SortedMap<String, String> parameters = new TreeMap<>();
      object
          .required("parameters")
          .properties()
          .forEach(entry -> parameters.put(entry.getKey(), entry.getValue().asText()));
      return new BenchmarkResult(
          object.required("benchmark").asText(),
          parameters,
          object.required("score").asDouble(Double.NaN),
          object.required("error").asDouble(Double.NaN),
          object.required("unit").asText(),
          new Machine(
              machine.required("cpu").asText(),
              machine.required("cores").asInt(),
              machine.required("isa").asText()),
          object.required("commit").asText(),
          object.required("date").asText());
    } catch (JsonProcessingException failure) {
      throw new IllegalArgumentException(failure.getOriginalMessage(), failure);
    }
  }
}
