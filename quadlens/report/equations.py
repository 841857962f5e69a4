"""The page's displayed equations as MathML, which browsers show without any library or font of ours."""

from html import escape

FUNCTIONS = ("logits", "act", "Re", "cos", "conj")
CONSTANTS = {"_i": "i", "_d": "d"}
"""Upright letters: the imaginary unit and the differential; plain ``i`` and ``d`` are an index and a difference."""


def _letters(text: str) -> str:
    """Return names, numbers and signs of a plain run such as ``ω k d − 2``, separated by spaces, as MathML."""
    out = []
    for word in text.split():
        if word.replace("/", "").isdigit():
            out.append(f"<mn>{word}</mn>")
        elif word in FUNCTIONS:
            out.append(f'<mi>{word}</mi><mspace width="0.12em"/>')
        elif word in CONSTANTS:
            out.append(f'<mi mathvariant="normal">{CONSTANTS[word]}</mi>')
        elif word[0].isalpha():
            out.append(f"<mi>{escape(word)}</mi>")
        elif word in "()[]":
            out.append(f'<mo stretchy="false">{word}</mo>')
        else:
            out.append(f"<mo>{escape(word)}</mo>")
    return "".join(out)


def _sub(base: str, index: str) -> str:
    return f"<msub><mrow>{_letters(base)}</mrow><mrow>{_letters(index)}</mrow></msub>"


def _exp(power: str) -> str:
    """Return e to a power; ``power`` is MathML."""
    return f'<msup><mi mathvariant="normal">e</mi><mrow>{power}</mrow></msup>'


def _sum_over_neurons() -> str:
    return "<munder><mo>∑</mo><mi>i</mi></munder>"


def _display(*parts: str, label: str) -> str:
    return f'<math display="block" alttext="{escape(label, quote=True)}"><mrow>{"".join(parts)}</mrow></math>\n'


def circuit_equation() -> str:
    """Return the logits of a circuit."""
    return _display(
        _letters("logits ( a , b ) [ c ] ="),
        _sum_over_neurons(),
        _letters("act ( A [ a , i ] + B [ b , i ] ) U [ i , c ] +"),
        _sub("S", "a"),
        _letters("[ a , c ] +"),
        _sub("S", "b"),
        _letters("[ b , c ]"),
        label="logits(a, b)[c] = sum over i of act(A[a, i] + B[b, i]) U[i, c] + S_a[a, c] + S_b[b, c]",
    )


def form_equations() -> str:
    """Return the amplitude–phase form of A (B is alike) and U."""
    angle = _sub("θ", "a")
    return _display(
        _letters("A [ a , i ] ≈ r Re ["),
        _sub("e", "A"),
        _exp(_letters("_i") + angle),
        _letters("+"),
        _sub("s", "A"),
        _exp(_letters("2 _i") + angle),
        _letters("] ,"),
        '<mspace width="1.5em"/>',
        _letters("U [ i , c ] ≈ u cos ( ω k c + ψ )"),
        label="A[a, i] ≈ r Re[e_A e^(iθ_a) + s_A e^(2iθ_a)], U[i, c] ≈ u cos(ωkc + ψ)",
    )


def waveform_equation() -> str:
    """Return the waveform of a group."""
    parts = [_sub("H", "d"), _letters("( θ ) = Re [")]
    for name, times in (("e", ""), ("s", "2 ")):
        parts += [
            _letters("("),
            _sub(name, "A"),
            _exp(_letters(f"{times}_i ω k d")),
            _letters("+"),
            _sub(name, "B"),
            _letters(")"),
            _exp(_letters(f"{times}_i θ")),
            _letters("+" if name == "e" else "] + κ"),
        ]
    return _display(*parts, label="H_d(θ) = Re[(e_A e^(iωkd) + e_B) e^(iθ) + (s_A e^(2iωkd) + s_B) e^(2iθ)] + κ")


def limit_equations() -> str:
    """Return the sum over a group's neurons and the integral that it tends to."""
    second = "<msub><mover><mi>h</mi><mo>^</mo></mover><mn>2</mn></msub>"
    phase = _sub("φ", "i")
    the_sum = _display(
        _sum_over_neurons(),
        _sub("r", "i"),
        _sub("u", "i"),
        '<mspace width="0.12em"/>',
        _letters("act ("),
        _sub("H", "d"),
        _letters("( ω k b +"),
        phase,
        _letters(") ) cos ( ω k c + 2"),
        phase,
        _letters(")"),
        '<mspace width="0.6em"/><mo>⟶</mo><mspace width="0.6em"/>',
        _sub("W", "k"),
        '<mspace width="0.12em"/>',
        _letters("Re ["),
        _exp(_letters("_i ω k ( c − 2 b )")),
        '<mspace width="0.2em"/>',
        _letters("conj"),
        second,
        _letters("( d )"),
        _letters("]"),
        label="sum over i of r_i u_i act(H_d(ωkb + φ_i)) cos(ωkc + 2φ_i) tends to W_k Re[e^(iωk(c − 2b)) conj ĥ_2(d)]",
    )
    the_integral = _display(
        second,
        _letters("( d ) ="),
        f"<mfrac><mn>1</mn><mrow>{_letters('2 π')}</mrow></mfrac>",
        f"<msubsup><mo>∫</mo><mrow>{_letters('− π')}</mrow><mi>π</mi></msubsup>",
        _letters("act ("),
        _sub("H", "d"),
        _letters("( θ ) )"),
        _exp(_letters("− 2 _i θ")),
        _letters("_d θ"),
        label="ĥ_2(d) = (1/2π) times the integral from −π to π of act(H_d(θ)) e^(−2iθ) dθ",
    )
    return the_sum + the_integral
