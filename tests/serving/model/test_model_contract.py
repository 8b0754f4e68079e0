import math

import pytest
from ink_network import make_ink_network

from bukva.errors import ModelError
from bukva.serving.glyph_model import check_probe, read_map
from bukva.tasks.glyph.answer import Answer
from bukva.tasks.glyph.recogniser import Recogniser

BOX = {"left": -0.1, "top": 0.0, "width": 1.2, "height": 1.0}


def test_probe():
    check_probe(Recogniser(make_ink_network()).read)
    with pytest.raises(ModelError, match="finite number"):
        check_probe(Recogniser(make_ink_network(temperature=math.nan)).read)


def test_a_model_that_reads_nothing_or_everything_is_refused():
    read = Recogniser(make_ink_network()).read
    with pytest.raises(ModelError, match="read the probe"):
        check_probe(lambda images: read([images[1], images[1]]))
    with pytest.raises(ModelError, match="refuse text"):
        check_probe(lambda images: read([images[0], images[0]]))


def answer(grad_cam):
    return Answer(reading=None, grad_cam=grad_cam, frame_box=BOX)


def test_a_map_is_told_as_shares_of_its_most_telling_cell():
    box, cells = read_map(answer([[0.0, 2.0], [8.0, 4.0]]))
    assert (box.left, box.width) == (-0.1, 1.2)
    assert cells == [[0.0, 0.25], [1.0, 0.5]]


def test_where_nothing_speaks_for_the_label_all_cells_are_zero():
    assert read_map(answer([[0.0, 0.0]]))[1] == [[0.0, 0.0]]


def test_an_answer_may_have_no_map():
    assert read_map(Answer(reading=None)) is None


@pytest.mark.parametrize("cells", [[[-0.1, 1.0]], [[math.nan, 1.0]], [[math.inf, 1.0]], [], [[]]])
def test_a_broken_map_is_named(cells):
    with pytest.raises(ModelError, match="grad_cam"):
        read_map(answer(cells))
