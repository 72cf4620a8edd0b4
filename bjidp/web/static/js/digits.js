// The two boxes of the reverse code: one digit each, a pasted or suggested code fills both.

/** Make `inputs` behave as one field. */
export function joinDigits(inputs) {
  inputs.forEach((input, index) => {
    input.addEventListener("input", (event) => fill(inputs, index, input.value, event.inputType === "insertText"));
    input.addEventListener("focus", () => input.select());
    input.addEventListener("keydown", (event) => {
      if (event.key === "Backspace" && !input.value && index > 0) {
        inputs[index - 1].value = "";
        inputs[index - 1].focus();
        event.preventDefault();
      }
      if (event.key === "ArrowLeft" && index > 0) move(event, inputs[index - 1]);
      if (event.key === "ArrowRight" && index < inputs.length - 1) move(event, inputs[index + 1]);
    });
  });
}

/** What was typed, or null while a digit is missing. */
export function typedDigits(inputs) {
  const code = inputs.map((input) => input.value).join("");
  return /^[0-9]+$/.test(code) && code.length === inputs.length ? code : null;
}

function fill(inputs, index, text, typed) {
  // An input method may leave full-width digits.
  let digits = [...text.normalize("NFKC")].filter((character) => /[0-9]/.test(character));
  // A digit typed beside another replaces it; a code pasted or suggested in any box begins in the first.
  if (typed) digits = digits.slice(-1);
  const from = digits.length >= inputs.length ? 0 : index;
  inputs[index].value = "";
  digits.slice(0, inputs.length - from).forEach((digit, offset) => (inputs[from + offset].value = digit));
  if (digits.length) inputs[Math.min(from + digits.length, inputs.length - 1)].focus();
}

function move(event, input) {
  event.preventDefault();
  input.focus();
}
