// The elementary functions compiled with one lane, as a judge for the vector versions; no arithmetic of its own.
#pragma once

namespace scalar_judge {

// output[i] = function(input[i]).
void exp(const float *input, float *output, int count);
void log(const float *input, float *output, int count);
void tanh(const float *input, float *output, int count);
void sin(const float *input, float *output, int count);
void cos(const float *input, float *output, int count);

}  // namespace scalar_judge
