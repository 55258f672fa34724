//! Pipelines, compiled once; what an entry binds is read from its shader.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::device::Device;
use super::shaders::Source;
use super::values::Named;

/// A compiled entry.
pub(super) struct Pipeline {
    /// Its number.
    pub id: u64,
    pub raw: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
    pub bindings: Vec<Binding>,
    /// Shader and entry, for messages.
    label: String,
    members: Vec<Member>,
}

/// A word of the uniform `Sizes`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    /// Its name in the shader.
    name: String,
    /// f32; u32 otherwise.
    float: bool,
}

impl Pipeline {
    /// Whether the entry uses `Sizes`.
    pub fn has_sizes(&self) -> bool {
        self.bindings.iter().any(|binding| binding.uniform)
    }

    /// Appends the words of `Sizes` from values by name; none where the entry has no sizes.
    ///
    /// # Panics
    /// Where a member has no value, or a value of the other type, or a value has no member.
    pub fn sizes(&self, values: &[Named], block: &mut Vec<u8>) {
        for (name, _) in values {
            let known = self.members.iter().any(|member| member.name == *name);
            assert!(known, "{}: {name} is no member of Sizes", self.label);
        }
        if !self.has_sizes() {
            return;
        }
        for (index, member) in self.members.iter().enumerate() {
            // most come in their order
            let own = |(name, _): &&Named| *name == member.name;
            let value = values.get(index).filter(own);
            let value = value.or_else(|| values.iter().find(own));
            let (_, value) =
                value.unwrap_or_else(|| panic!("{}: no size {}", self.label, member.name));
            let (found, wanted) = (value.is_float(), member.float);
            assert_eq!(found, wanted, "{}.{}", self.label, member.name);
            block.extend_from_slice(&value.word().to_ne_bytes());
        }
    }
}

/// A buffer that an entry uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binding {
    /// Its name in the shader.
    pub name: String,
    pub index: u32,
    pub uniform: bool,
    pub read_only: bool,
}

/// All that were compiled.
#[derive(Default)]
pub(super) struct Pipelines {
    compiled: Mutex<HashMap<(Source, &'static str), Arc<Pipeline>>>,
}

impl Pipelines {
    /// The pipeline of an entry.
    pub fn get(&self, device: &Device, source: Source, entry: &'static str) -> Arc<Pipeline> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let id = compiled.len() as u64;
        let make = || Arc::new(compile(device, source, entry, id));
        compiled.entry((source, entry)).or_insert_with(make).clone()
    }
}

/// What an entry uses, by binding number.
fn bindings(
    module: &naga::Module,
    info: &naga::valid::ModuleInfo,
    source: Source,
    entry: &str,
) -> Vec<Binding> {
    let index = module
        .entry_points
        .iter()
        .position(|point| point.name == entry);
    let function = info.get_entry_point(
        index.unwrap_or_else(|| panic!("shader {} has no entry {entry}", source.name)),
    );
    let used = module
        .global_variables
        .iter()
        .filter(|(handle, _)| !function[*handle].is_empty());
    let mut bindings: Vec<Binding> = used
        .filter_map(|(_, variable)| {
            let index = variable.binding.as_ref()?.binding;
            let (uniform, read_only) = match variable.space {
                naga::AddressSpace::Storage { access } => {
                    (false, !access.contains(naga::StorageAccess::STORE))
                }
                _ => (true, true),
            };
            Some(Binding {
                name: variable.name.clone()?,
                index,
                uniform,
                read_only,
            })
        })
        .collect();
    bindings.sort_by_key(|binding| binding.index);
    bindings
}

/// The members of the struct `Sizes`, where the shader has one: 32-bit words, one after another.
fn members(module: &naga::Module, source: Source) -> Vec<Member> {
    let sizes = module.types.iter().find_map(|(_, ty)| match &ty.inner {
        naga::TypeInner::Struct { members, .. } if ty.name.as_deref() == Some("Sizes") => {
            Some(members)
        }
        _ => None,
    });
    let member = |(word, member): (usize, &naga::StructMember)| {
        assert_eq!(
            member.offset as usize,
            4 * word,
            "{}: words alone",
            source.name
        );
        let name = member.name.clone().expect("members have names");
        let float = match module.types[member.ty].inner {
            naga::TypeInner::Scalar(naga::Scalar::F32) => true,
            naga::TypeInner::Scalar(naga::Scalar::U32) => false,
            _ => panic!("{}: size {name} is neither u32 nor f32", source.name),
        };
        Member { name, float }
    };
    sizes
        .into_iter()
        .flatten()
        .enumerate()
        .map(member)
        .collect()
}

fn layout(device: &Device, label: &str, bindings: &[Binding]) -> wgpu::BindGroupLayout {
    let layout_entry = |binding: &Binding| {
        let ty = match binding.uniform {
            true => wgpu::BufferBindingType::Uniform,
            false => wgpu::BufferBindingType::Storage {
                read_only: binding.read_only,
            },
        };
        wgpu::BindGroupLayoutEntry {
            binding: binding.index,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty,
                has_dynamic_offset: binding.uniform,
                min_binding_size: None,
            },
            count: None,
        }
    };
    let entries: Vec<_> = bindings.iter().map(layout_entry).collect();
    device
        .raw
        .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(label),
            entries: &entries,
        })
}

fn compile(device: &Device, source: Source, entry: &'static str, id: u64) -> Pipeline {
    let (module, info) = source.module();
    let bindings = bindings(&module, &info, source, entry);
    let members = members(&module, source);
    let label = format!("{}.{entry}", source.name);
    let layout = layout(device, &label, &bindings);
    let pipeline_layout = device
        .raw
        .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(&label),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
    let module = device
        .raw
        .create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(&label),
            source: wgpu::ShaderSource::Naga(std::borrow::Cow::Owned(module)),
        });
    let raw = device
        .raw
        .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&label),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(entry),
            // shared memory is written before it is read
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
    Pipeline {
        id,
        raw,
        layout,
        bindings,
        label,
        members,
    }
}
