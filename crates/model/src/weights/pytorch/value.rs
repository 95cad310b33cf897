//! What a checkpoint's pickle can hold, as far as it matters for weights.

/// Containers in containers end here: they are walked by recursion.
const DEEPEST: usize = 64;

/// A value on the pickle machine's stack.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// What is passed over: None, floats, bytes, objects of classes that are no tensors.
    Opaque,
    Integer(i64),
    Text(String),
    /// A class or function, as `module.name`.
    Global(String),
    /// A tuple, list or set.
    Items(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    Storage(StorageRef),
    Tensor(TensorView),
}

/// A storage of the archive.
#[derive(Debug, Clone)]
pub(super) struct StorageRef {
    /// `torch.FloatStorage` and its like.
    pub(super) kind: String,
    /// The name of its entry under `data/`.
    pub(super) key: String,
}

/// A tensor: a view of a storage, counted in numbers.
#[derive(Debug, Clone)]
pub(super) struct TensorView {
    pub(super) storage: StorageRef,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

impl Value {
    /// The value under a string key of a dict.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Dict(pairs) = self else { return None };
        pairs.iter().find_map(|(found, value)| match found {
            Self::Text(text) if text == key => Some(value),
            _ => None,
        })
    }

    pub(super) fn items(&self) -> Option<&[Self]> {
        match self {
            Self::Items(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn size(&self) -> Option<usize> {
        match self {
            Self::Integer(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The number of values in it and the depth of their nesting, itself included.
    pub(super) fn measure(&self) -> (usize, usize) {
        let all = |values: &mut dyn Iterator<Item = &Self>| {
            values.fold((1, 1), |(count, depth), value| {
                let (inner, below) = value.measure();
                (count + inner, depth.max(below + 1))
            })
        };
        match self {
            Self::Items(items) => all(&mut items.iter()),
            Self::Dict(pairs) => all(&mut pairs.iter().flat_map(|(key, value)| [key, value])),
            _ => (1, 1),
        }
    }

    /// The value, unless it is nested deeper than any checkpoint.
    pub(super) fn shallow(self) -> Result<Self, String> {
        if self.measure().1 > DEEPEST {
            return Err(format!("values are nested more than {DEEPEST} deep"));
        }
        Ok(self)
    }
}
