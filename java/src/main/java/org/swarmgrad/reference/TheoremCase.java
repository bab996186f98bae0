// Numbers of the meeting game that an independent program worked out, read from a resource; nothing
// is computed here.
package org.swarmgrad.reference;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * One case of the meeting game as an independent program (numpy, complex-step differentiation of
 * the enumerated polynomial) worked it out; read from a resource, never computed here.
 *
 * @param rule of the rewards
 * @param logit [observation][action]
 * @param expectedReturn J
 * @param gradient of J, [observation][action]
 * @param estimators expectation of each estimator by name, [observation][action]
 */
public record TheoremCase(
    Meeting.Rule rule,
    double[][] logit,
    double expectedReturn,
    double[][] gradient,
    Map<String, double[][]> estimators) {
  /**
   * Every case: three rules at a uniform and two random policies.
   *
   * @return nine cases
   * @throws IOException if the resource cannot be read
   */
  public static List<TheoremCase> all() throws IOException {
    List<TheoremCase> all = new ArrayList<>();
    try (InputStream input = TheoremCase.class.getResourceAsStream("theorem.json")) {
      for (JsonNode node : new ObjectMapper().readTree(input).get("cases")) {
        Map<String, double[][]> estimators = new TreeMap<>();
        for (Map.Entry<String, JsonNode> entry : node.get("estimators").properties()) {
          estimators.put(entry.getKey(), matrix(entry.getValue()));
        }
        all.add(
            new TheoremCase(
                Meeting.Rule.valueOf(node.get("reward").textValue().toUpperCase(Locale.ROOT)),
                matrix(node.get("theta")),
                node.get("J").doubleValue(),
                matrix(node.get("grad_J_complex_step")),
                estimators));
      }
    }
    return all;
  }

  private static double[][] matrix(JsonNode node) {
    double[][] matrix = new double[node.size()][];
    for (int row = 0; row < matrix.length; row++) {
      matrix[row] = new double[node.get(row).size()];
      for (int column = 0; column < matrix[row].length; column++) {
        matrix[row][column] = node.get(row).get(column).doubleValue();
      }
    }
    return matrix;
  }
}
