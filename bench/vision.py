"""Our stopwatch, ONNX Runtime and face_recognition in turns; medians and ratios.

CPU time of the thread decides, since other work on the machine does not count in it; wall time is
printed beside it. Called by bench/vision.

A neighbour that shares the processor's core (another guest of the host, too) slows down whoever uses
most of it, which is ours. So each ratio is there twice: of all rounds' medians, and of their tenth
percentiles, where the neighbours were quiet for both.
"""
import collections, importlib.metadata, json, os, pathlib, statistics, subprocess, sys, tempfile, time
import numpy as np
import cv2
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from safetensors.numpy import load_file

MODELS = pathlib.Path(os.environ["ROLLCALL_MODELS"])
PORTRAITS = pathlib.Path(os.environ["ROLLCALL_PORTRAITS"])
MEAN = np.array([122.782, 117.001, 104.298], "f").reshape(1, 3, 1, 1)
LIMIT = 3.0
cv2.setNumThreads(1)


class Graph:
    """An ONNX graph, node by node."""

    def __init__(self, name):
        self.name, self.weights = name, load_file(MODELS / f"{name}.safetensors")
        self.nodes, self.constants = [], []

    def const(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def op(self, kind, *inputs, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def layer(self, kind, x, name, **attributes):
        weight, bias = (self.const(self.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.op(kind, x, weight, bias, **attributes)

    def prelu(self, x, name, shape=(-1, 1, 1)):
        return self.op("PRelu", x, self.const(self.weights[f"{name}.weight"].reshape(shape)))

    def pool(self, x, size):
        return self.op("MaxPool", x, kernel_shape=[size] * 2, strides=[2, 2], ceil_mode=1)

    def session(self, outputs, shape):
        value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, self.name, [value("x", shape)],
                                  [value(name, None) for name in outputs], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = ort.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
        return lambda x: session.run(None, {"x": x})


def dlib_net():
    g = Graph("dlib_resnet_v1")

    def conv(x, i, stride=1, pad=1):
        gamma, beta = (g.weights[f"aff{i:02}.{part}"] for part in ("gamma", "beta"))
        weight = g.weights[f"conv{i:02}.weight"] * gamma[:, None, None, None]
        bias = g.weights[f"conv{i:02}.bias"] * gamma + beta
        return g.op("Conv", x, g.const(weight), g.const(bias), strides=[stride] * 2, pads=[pad] * 4)

    def grown(x, channels, pixels):
        if not channels and not pixels:
            return x
        return g.op("Pad", x, g.const(np.array([0, 0, 0, 0, 0, channels, pixels, pixels], "i8")))

    x = g.op("Mul", g.op("Sub", "x", g.const(MEAN)), g.const(np.array(1 / 256, "f")))
    x = g.op("MaxPool", g.op("Relu", conv(x, 0, 2, 0)), kernel_shape=[3, 3], strides=[2, 2])
    i, channels, side = 1, 32, 35
    for kind in "rrrdrrrdrrdrrd":
        if kind == "r":
            y = conv(g.op("Relu", conv(x, i)), i + 1)
        else:
            out, small, mean = min(2 * channels, 256), (side - 3) // 2 + 1, side // 2
            y = conv(g.op("Relu", conv(x, i, 2, 0)), i + 1)
            x = g.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
            side = max(small, mean)
            y, x = grown(y, 0, side - small), grown(x, out - channels, side - mean)
            channels = out
        x, i = g.op("Relu", g.op("Add", y, x)), i + 2
    x = g.op("Flatten", g.op("GlobalAveragePool", x))
    run = g.session([g.op("MatMul", x, g.const(g.weights["fc.weight"]))], ["n", 3, 150, 150])
    return lambda chips: run(chips)[0]


def mtcnn_net(name):
    g = Graph(name)
    x = g.pool(g.prelu(g.layer("Conv", "x", "conv1"), "prelu1"), 2 if name == "pnet" else 3)
    x = g.prelu(g.layer("Conv", x, "conv2"), "prelu2")
    x = g.pool(x, 3) if name != "pnet" else x
    x = g.prelu(g.layer("Conv", x, "conv3"), "prelu3")
    if name == "pnet":
        box, face = g.layer("Conv", x, "conv4_2"), g.layer("Conv", x, "conv4_1")
        return g.session([box, g.op("Softmax", face, axis=1)], ["n", 3, "h", "w"])
    if name == "onet":
        x = g.prelu(g.layer("Conv", g.pool(x, 2), "conv4"), "prelu4")
    n = 4 if name == "rnet" else 5
    dense = lambda x, name: g.layer("Gemm", x, name, transB=1)
    x = g.op("Flatten", g.op("Transpose", x, perm=[0, 3, 2, 1]))
    x = g.prelu(dense(x, f"dense{n}"), f"prelu{n}", -1)
    outputs = [dense(x, f"dense{n + 1}_2")]
    outputs += [dense(x, "dense6_3")] if name == "onet" else []
    outputs.append(g.op("Softmax", dense(x, f"dense{n + 1}_1"), axis=1))
    return g.session(outputs, ["n", 3, *([24] * 2 if name == "rnet" else [48] * 2)])


def prune(boxes, scores, limit, smaller=False):
    order, kept = np.argsort(-scores), []
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        corner = np.minimum(boxes[best, 2:4], boxes[rest, 2:4])
        size = np.maximum(0, corner - np.maximum(boxes[best, :2], boxes[rest, :2]))
        shared = size[:, 0] * size[:, 1]
        whole = np.minimum(area[best], area[rest]) if smaller else area[best] + area[rest] - shared
        order = rest[shared / whole <= limit]
    return np.array(kept, int)


def moved(boxes, shift, extra, square=True):
    size = boxes[:, 2:4] - boxes[:, :2] + extra
    boxes = boxes[:, :4] + shift * np.concatenate([size, size], 1)
    if square:
        size = boxes[:, 2:] - boxes[:, :2]
        side = size.max(1, keepdims=True)
        corner = boxes[:, :2] + size / 2 - side / 2
        boxes = np.concatenate([corner, corner + side], 1)
    return boxes


class Mtcnn:
    """The cascade around ONNX Runtime, resizing by OpenCV, everything else by numpy."""

    def __init__(self, min_face=40):
        self.pnet, self.rnet, self.onet = (mtcnn_net(name) for name in ("pnet", "rnet", "onet"))
        self.min_face = min_face

    def crops(self, image, boxes, side):
        height, width = image.shape[:2]
        out = np.zeros((len(boxes), 3, side, side), "f")
        for crop, (left, top, right, bottom) in zip(out, np.trunc(boxes).astype(int)):
            part = image[max(top, 1) - 1:min(bottom, height), max(left, 1) - 1:min(right, width)]
            if part.size:
                part = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)
                crop[:] = part.transpose(2, 0, 1)
        return (out - 127.5) / 128

    def propose(self, image):
        height, width = image.shape[:2]
        scale, found = 12 / self.min_face, []
        while min(height, width) * scale >= 12:
            size = int(width * scale + 1), int(height * scale + 1)
            small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype("f")
            shift, face = self.pnet(((small - 127.5) / 128).transpose(2, 0, 1)[None])
            y, x = np.nonzero(face[0, 1] >= 0.6)
            corners = [np.floor((2 * at + size) / scale) for size in (1, 12) for at in (x, y)]
            boxes = np.stack([*corners, face[0, 1, y, x], *shift[0][:, y, x]], 1)
            found.append(boxes[prune(boxes, boxes[:, 4], 0.5)])
            scale *= 0.709
        found = np.concatenate(found)
        found = found[prune(found, found[:, 4], 0.7)]
        return moved(found, found[:, 5:], 0)

    def __call__(self, image):
        boxes = self.propose(image)
        shift, face = self.rnet(self.crops(image, boxes, 24))
        keep = face[:, 1] > 0.7
        boxes, shift, score = boxes[keep], shift[keep], face[keep, 1]
        keep = prune(boxes, score, 0.7)
        boxes = moved(boxes[keep], shift[keep], 1)
        shift, points, face = self.onet(self.crops(image, boxes, 48))
        keep = face[:, 1] > 0.7
        boxes, shift, points, score = boxes[keep], shift[keep], points[keep], face[keep, 1]
        size = boxes[:, 2:4] - boxes[:, :2] + 1
        points = points.reshape(-1, 2, 5).transpose(0, 2, 1) * size[:, None] + boxes[:, None, :2] - 1
        keep = prune(moved(boxes, shift, 1, False), score, 0.7, smaller=True)
        return boxes[keep], points[keep]


TARGETS = np.array([[48.648, 46.828], [102.371, 46.713], [75.353, 78.793], [52.035, 105.955],
                    [98.760, 105.942]])


def align(image, points):
    fit, _ = cv2.estimateAffinePartial2D(points, TARGETS, method=cv2.LMEDS)
    return cv2.warpAffine(image, fit, (150, 150))


def both(chip):
    return np.stack([chip, chip[:, ::-1]]).transpose(0, 3, 1, 2).astype("f")


class Ours:
    def __init__(self, program, picture, less):
        command = [program, MODELS, picture, less]
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, what):
        self.child.stdin.write(what + "\n")
        self.child.stdin.flush()
        return self.child.stdout.readline()

    def time(self, what):
        answer = json.loads(self.ask(what))
        return answer["cpu_ms"], answer["ms"]


def timed(work):
    wall, cpu = time.perf_counter(), time.thread_time()
    work()
    return (time.thread_time() - cpu) * 1e3, (time.perf_counter() - wall) * 1e3


def frame(path):
    portrait = Image.open(PORTRAITS / "obama.jpg").convert("RGB")
    portrait = portrait.crop((0, 0, portrait.width, portrait.width * 3 // 4))
    portrait.resize((640, 480), Image.LANCZOS).save(path)
    return np.array(Image.open(path))


def detours(ours, rounds):
    """Winograd's way beside the direct one; the ratios that are above 1."""
    print(f"{'layer':36}{'Winograd':>18}{'direct':>18}{'ratio':>8}")
    longer = []
    for name in ours.ask("layers").split():
        times = [[ours.time(f"{way} {name}")[0] for way in ("winograd", "direct")] for _ in range(rounds)]
        winograd, direct = (statistics.median(column) for column in zip(*times))
        print(f"{name:36}{winograd:18.3f}{direct:18.3f}{winograd / direct:8.2f}")
        if winograd > direct:
            longer.append(f"{name} ({winograd / direct:.2f})")
    return longer


def main(program, rounds, less):
    import warnings
    warnings.filterwarnings("ignore", category=UserWarning)
    import face_recognition

    path = os.path.join(tempfile.mkdtemp(), "frame.png")
    image = frame(path)
    ours, detect, embed = Ours(program, path, less), Mtcnn(), dlib_net()
    boxes, points = detect(image)
    assert len(boxes) == 1, "ONNX Runtime finds the one face"
    vectors = json.load(open("shared/vision/tests/vectors/testvectors.json"))
    off = np.abs(embed(np.zeros((1, 3, 150, 150), "f"))[0] - vectors["dlib150 zeros"]).max()
    assert off < 1e-3, "ONNX Runtime runs dlib's network"
    chip = align(image, points[0])
    one, pair = both(chip)[:1], both(chip)

    def pipeline():
        embed(both(align(image, detect(image)[1][0]))).sum(0)

    def library():
        places = face_recognition.face_locations(image)
        face_recognition.face_encodings(image, places)

    rows = {
        "MTCNN, 640x480, faces from 40 px": ("detect", lambda: detect(image)),
        "dlib network, one chip": ("network", lambda: embed(one)),
        "dlib network, chip + mirror": ("embed", lambda: embed(pair)),
        "detect + align + embed": ("pipeline", pipeline),
    }
    times = collections.defaultdict(list)
    for i in range(rounds + 2):
        results = {}
        for name, (what, peer) in rows.items():
            results[name, "ours"], results[name, "ort"] = ours.time(what), timed(peer)
        if i % 4 == 0:
            results["library"] = timed(library)
        if i >= 2:  # the first two rounds warm up
            for key, value in results.items():
                times[key].append(value)

    median = lambda key: [statistics.median(column) for column in zip(*times[key])]
    quiet = lambda key: statistics.quantiles([cpu for cpu, _ in times[key]], n=10, method="inclusive")[0]
    ratios = lambda key, peer: (median(key)[0] / median(peer)[0], quiet(key) / quiet(peer))
    cell = lambda key: "{:.2f} ({:.2f})".format(*median(key))
    print(f"{rounds} rounds, one thread, medians of CPU ms (wall ms)")
    print(f"{'':36}{'ours':>18}{'ONNX Runtime':>18}{'ratio':>8}{'quiet':>8}")
    worst = 0
    for name in rows:
        mine, peer = (name, "ours"), (name, "ort")
        ratio, least = ratios(mine, peer)
        worst = max(worst, ratio)
        print(f"{name:36}{cell(mine):>18}{cell(peer):>18}{ratio:8.2f}{least:8.2f}")
    name = f"the same by face_recognition {importlib.metadata.version('face_recognition')}"
    ratio, least = ratios(("detect + align + embed", "ours"), "library")
    print(f"{name:54}{cell('library'):>18}{ratio:8.2f}{least:8.2f}")
    longer = detours(ours, rounds)
    if longer:
        sys.exit(f"Winograd's way takes longer than the direct one: {', '.join(longer)}")
    if worst > LIMIT:
        sys.exit(f"ours takes {worst:.2f} times as long as ONNX Runtime, more than {LIMIT}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
