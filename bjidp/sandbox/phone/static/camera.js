// The camera: frames go to the decoder a few times a second, one at a time, until a code is seen.

import { decode } from "./sandbox.js";
import { pause, Problem } from "./wire.js";

const BETWEEN = 220; // Milliseconds between an answer and the next frame.
const WIDEST = 960; // Pixels: enough for a code that fills a third of the picture.

export class NoCamera extends Error {}

/** Show the camera in `video` and call `seen(text)` for the first code; returns a function that switches it off. */
export async function watch(video, seen) {
  if (!navigator.mediaDevices?.getUserMedia) throw new NoCamera("unsupported");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: "environment", width: { ideal: 1280 } },
    });
  } catch (error) {
    throw new NoCamera(error.name);
  }
  let on = true;
  const stop = () => {
    on = false;
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  video.srcObject = stream;
  await video.play().catch(() => {});
  (async () => {
    while (on) {
      const text = document.hidden || !video.videoWidth ? null : await read(video, video.videoWidth, video.videoHeight);
      if (on && text) return seen(text);
      await pause(BETWEEN);
    }
  })();
  return stop;
}

async function read(source, width, height) {
  try {
    return await decode(await pictureOf(source, width, height));
  } catch {
    return null; // One frame more or less: the next one comes at once.
  }
}

/** The text of the code in a picture file, or null. Throws Problem when it is no picture. */
export async function readFile(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Problem(422, { code: "picture_unreadable" }, null);
  }
  return decode(await pictureOf(bitmap, bitmap.width, bitmap.height, 1600));
}

function pictureOf(source, width, height, widest = WIDEST) {
  const scale = Math.min(1, widest / width);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const pen = canvas.getContext("2d", { alpha: false });
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/jpeg", 0.85);
  });
}
